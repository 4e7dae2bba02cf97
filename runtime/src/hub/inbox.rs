//! How tasks reach a hub from other threads: a lock-free stack of woken tasks and a flag that says "asleep".
//!
//! The protocol, between one hub and any number of wakers:
//!
//! ```text
//!   waker: push(task); if asleep.swap(false) { ring }      hub: asleep = true; if !empty { asleep = false; go on }
//!                                                                else block until rung; asleep = false
//! ```
//!
//! All four accesses are sequentially consistent, so either the hub sees the push or the waker sees the flag (Dekker).
//! The flag is exchanged, never stored, which costs the same: so all changes of it are in one order for everybody.
//! One ring is enough for any number of pushes. A model (`tests/models/inbox.rs`) checks that no wake-up is lost.

use std::ptr;
use sync::{AtomicBool, AtomicPtr, Ordering};

#[cfg(not(all(loom, test)))]
mod sync {
    pub use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
}
// Only where the models include this file: the library around it stands on the real ones.
#[cfg(all(loom, test))]
mod sync {
    pub use crate::seq_cst::{AtomicBool, AtomicPtr, Ordering};
}

/// What can be put into an inbox: a node with a link, in one inbox at a time.
pub trait Node: Sized {
    /// The link, used by the inbox between push and take.
    fn next(&self) -> &AtomicPtr<Self>;
}

/// A hub's inbox.
#[derive(Debug)]
pub struct Inbox<T> {
    head: AtomicPtr<T>,
    asleep: AtomicBool,
}

impl<T: Node> Default for Inbox<T> {
    fn default() -> Self {
        Self {
            head: AtomicPtr::new(ptr::null_mut()),
            asleep: AtomicBool::new(false),
        }
    }
}

impl<T: Node + 'static> Inbox<T> {
    /// Puts a node in. True if the hub sleeps and the caller must ring: exactly one of those who find it asleep is told so.
    #[must_use]
    pub fn push(&self, node: &'static T) -> bool {
        let node = ptr::from_ref(node).cast_mut();
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: the node is 'static and ours until it is in.
            unsafe { &*node }.next().store(head, Ordering::Relaxed);
            match self
                .head
                .compare_exchange_weak(head, node, Ordering::SeqCst, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        self.must_ring()
    }

    /// Whether the hub sleeps and the caller must ring, after the caller published something else than a node.
    #[must_use]
    pub fn must_ring(&self) -> bool {
        self.asleep.load(Ordering::SeqCst) && self.asleep.swap(false, Ordering::SeqCst)
    }

    /// Takes all nodes and gives them to `f`, oldest first.
    pub fn take(&self, mut f: impl FnMut(&'static T)) {
        if self.head.load(Ordering::Relaxed).is_null() {
            return;
        }
        let mut node = self.head.swap(ptr::null_mut(), Ordering::Acquire);
        let mut oldest = ptr::null_mut::<T>();
        while !node.is_null() {
            // SAFETY: nodes are 'static; those taken are the caller's alone, and their links were published by the push.
            let next = unsafe { &*node }.next().swap(oldest, Ordering::Relaxed);
            oldest = node;
            node = next;
        }
        while !oldest.is_null() {
            // SAFETY: as above.
            let this: &'static T = unsafe { &*oldest };
            oldest = this.next().load(Ordering::Relaxed);
            f(this);
        }
    }

    /// Says that the hub is about to block. False, and not said, if there is something in the box.
    #[must_use]
    pub fn fall_asleep(&self) -> bool {
        let _ = self.asleep.swap(true, Ordering::SeqCst);
        if self.head.load(Ordering::SeqCst).is_null() {
            return true;
        }
        self.wake_up();
        false
    }

    /// Says that the hub is awake again.
    pub fn wake_up(&self) {
        let _ = self.asleep.swap(false, Ordering::SeqCst);
    }

    /// True while the hub sleeps or is about to.
    pub fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::Relaxed)
    }
}
