//! The queues of those who wait on words: who is woken, who goes, who is moved.
//!
//! A waiter lives in its call's pinned future and is linked into the queue of its word's bucket, under the bucket's lock.
//!
//! ```text
//!   waiter                                            waker
//!   ──────                                            ─────
//!   queue(): lock; the word is as expected?; link     change the word; lock; unlink the waiter;
//!                                                     wake its task; woken = true
//!   is_woken(): woken, or lock: not linked any more
//!   leave(): not woken? lock: unlink it, if linked
//! ```
//!
//! `woken` is the last thing that a waker does to a waiter, and Release. A waiter that reads it (Acquire) does so without the lock;
//! if it is not set, the waiter takes the lock, so that a waker which has woken the task but not come to the store is waited for. So: a waiter
//! that sees `woken` is not touched by anybody any more, one that has the lock and is linked stays linked, and a wake-up is counted exactly
//! when its waiter reports success: a time-out or a signal that comes together with a wake-up loses against it.
//!
//! A requeue changes a waiter's address under both buckets' locks, which are taken in the table's order.
//!
//! The models (`tests/models/futex.rs`) compile this very file.

use std::marker::PhantomPinned;
use std::ptr;
use sync::{AtomicBool, AtomicUsize, Cell, Guard, Lock, Ordering};

#[cfg(not(all(loom, test)))]
mod sync {
    pub(super) use crate::spin::{Guard, Spin as Lock};
    pub(super) use std::cell::Cell;
    pub(super) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
}
// Only where the models include this file: the library around it stands on the real ones.
#[cfg(all(loom, test))]
mod sync {
    pub(super) use crate::futex::{AtomicBool, Guard, Lock};
    pub(super) use loom::cell::Cell;
    pub(super) use loom::sync::atomic::{AtomicUsize, Ordering};
}

/// Any of the bits that a waiter may be woken by.
pub(crate) const ANY: u32 = u32::MAX;

/// Who waits.
pub(crate) trait Sleeper {
    fn wake(&self);
}

/// Where the queues are. There are several words to a bucket.
pub(crate) trait Table<S: 'static>: Copy {
    /// The bucket of an address, as its place in the order in which buckets are locked.
    fn place(self, address: usize) -> usize;
    fn bucket(self, place: usize) -> &'static Lock<Queue<S>>;
}

/// One who waits on an address.
#[derive(Debug)]
pub(crate) struct Waiter<S> {
    pub(crate) sleeper: S,
    /// Under the lock of the bucket that it says: a requeue changes both.
    address: AtomicUsize,
    bits: u32,
    next: Cell<*const Waiter<S>>,
    prev: Cell<*const Waiter<S>>,
    linked: Cell<bool>,
    woken: AtomicBool,
    _pin: PhantomPinned,
}

impl<S: Sleeper + 'static> Waiter<S> {
    pub(crate) fn new(sleeper: S, address: usize, bits: u32) -> Self {
        Self {
            sleeper,
            address: AtomicUsize::new(address),
            bits,
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            linked: Cell::new(false),
            woken: AtomicBool::new(false),
            _pin: PhantomPinned,
        }
    }

    pub(crate) fn address(&self) -> usize {
        self.address.load(Ordering::Relaxed)
    }

    /// Puts the waiter into its queue, unless `look` finds that the word is not as expected. Under the lock: a waker changes the word first and
    /// then takes the lock, so either the change is seen or the waiter is.
    ///
    /// # Errors
    /// What `look` says.
    pub(crate) fn queue<E>(
        &self,
        table: impl Table<S>,
        look: impl FnOnce(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        let address = self.address();
        let mut queue = table.bucket(table.place(address)).lock();
        look(address)?;
        queue.push(self);
        Ok(())
    }

    /// Whether a waker has counted this waiter, which is or was queued.
    pub(crate) fn is_woken(&self, table: impl Table<S>) -> bool {
        if self.has_said_woken() {
            return true;
        }
        // A waker may be between waking the task and saying so: it holds the lock.
        let queue = self.lock_bucket(table);
        let woken = !self.linked.get();
        drop(queue);
        woken
    }

    /// Leaves the queue. False if a waker came first: it has counted this waiter.
    pub(crate) fn leave(&self, table: impl Table<S>) -> bool {
        if self.has_said_woken() {
            return false;
        }
        let mut queue = self.lock_bucket(table);
        let linked = self.linked.get();
        if linked {
            queue.unlink(self);
        }
        linked
    }

    pub(crate) fn has_said_woken(&self) -> bool {
        self.woken.load(Ordering::Acquire)
    }

    /// Locks the bucket that the waiter is in, which a requeue may change until the lock is had.
    fn lock_bucket(&self, table: impl Table<S>) -> Guard<'static, Queue<S>> {
        loop {
            let place = table.place(self.address());
            let queue = table.bucket(place).lock();
            if table.place(self.address()) == place {
                return queue;
            }
        }
    }

    /// Wakes who waits; the caller holds the bucket's lock and has unlinked the waiter.
    pub(crate) fn wake(&self) {
        self.wake_by(S::wake);
    }

    /// As [`Self::wake`], in another way. The waiter is not touched after the store.
    pub(crate) fn wake_by(&self, wake: impl FnOnce(&S)) {
        wake(&self.sleeper);
        self.say_woken();
    }

    pub(crate) fn say_woken(&self) {
        self.woken.store(true, Ordering::Release);
    }
}

#[cfg(all(loom, test))]
impl<S> Waiter<S> {
    /// For the models: the waiter's memory is used for something else.
    pub(crate) fn free(&self) {
        self.next.set(ptr::null());
        self.linked.set(false);
    }
}

/// The waiters on all addresses of one bucket, oldest first.
#[derive(Debug)]
pub(crate) struct Queue<S> {
    first: *const Waiter<S>,
    last: *const Waiter<S>,
}

// SAFETY: the pointers are to linked waiters, which are alive and touched under the bucket's lock.
unsafe impl<S> Send for Queue<S> {}

impl<S: Sleeper + 'static> Queue<S> {
    pub(crate) const fn new() -> Self {
        Self {
            first: ptr::null(),
            last: ptr::null(),
        }
    }

    fn push(&mut self, waiter: &Waiter<S>) {
        waiter.next.set(ptr::null());
        waiter.prev.set(self.last);
        // SAFETY: linked waiters are alive.
        match unsafe { self.last.as_ref() } {
            Some(last) => last.next.set(waiter),
            None => self.first = waiter,
        }
        self.last = waiter;
        waiter.linked.set(true);
    }

    pub(crate) fn unlink(&mut self, waiter: &Waiter<S>) {
        let (prev, next) = (waiter.prev.get(), waiter.next.get());
        // SAFETY: linked waiters are alive.
        unsafe {
            match prev.as_ref() {
                Some(prev) => prev.next.set(next),
                None => self.first = next,
            }
            match next.as_ref() {
                Some(next) => next.prev.set(prev),
                None => self.last = prev,
            }
        }
        waiter.linked.set(false);
    }

    /// The oldest waiter on an address. It stays alive while the lock is held.
    pub(crate) fn find<'a>(&self, address: usize) -> Option<&'a Waiter<S>> {
        let mut at = self.first;
        // SAFETY: linked waiters are alive.
        while let Some(waiter) = unsafe { at.as_ref() } {
            if waiter.address() == address {
                return Some(waiter);
            }
            at = waiter.next.get();
        }
        None
    }

    /// Unlinks up to `count` waiters on an address that share a bit with `bits`, oldest first, and gives each to `f`.
    pub(crate) fn take(
        &mut self,
        address: usize,
        bits: u32,
        count: usize,
        mut f: impl FnMut(&Waiter<S>),
    ) -> usize {
        let mut taken = 0;
        let mut at = self.first;
        while taken < count {
            // SAFETY: linked waiters are alive while the lock is held.
            let Some(waiter) = (unsafe { at.as_ref() }) else {
                break;
            };
            at = waiter.next.get();
            if waiter.address() == address && waiter.bits & bits != 0 {
                self.unlink(waiter);
                f(waiter);
                taken += 1;
            }
        }
        taken
    }
}

/// The queues of two addresses, locked: once, if they are the same.
#[derive(Debug)]
pub(crate) struct Two<S: 'static> {
    first: Guard<'static, Queue<S>>,
    second: Option<Guard<'static, Queue<S>>>,
}

impl<S: Sleeper + 'static> Two<S> {
    pub(crate) fn lock(table: impl Table<S>, first: usize, second: usize) -> Self {
        let (i, j) = (table.place(first), table.place(second));
        if i > j {
            let second = Some(table.bucket(j).lock());
            let first = table.bucket(i).lock();
            return Self { first, second };
        }
        let first = table.bucket(i).lock();
        let second = (i != j).then(|| table.bucket(j).lock());
        Self { first, second }
    }

    pub(crate) fn first(&mut self) -> &mut Queue<S> {
        &mut self.first
    }

    pub(crate) fn second(&mut self) -> &mut Queue<S> {
        self.second.as_mut().unwrap_or(&mut self.first)
    }

    /// Moves up to `most` waiters from the first address to the second, behind those who wait there.
    pub(crate) fn requeue(&mut self, from: usize, to: usize, most: usize) -> usize {
        let mut moved = 0;
        let mut at = self.first().first;
        // Who is moved may come last in this very queue, and is not met again.
        let end = self.first().last;
        while moved < most {
            // SAFETY: linked waiters are alive while the lock is held.
            let Some(waiter) = (unsafe { at.as_ref() }) else {
                break;
            };
            let next = waiter.next.get();
            if waiter.address() == from {
                self.first().unlink(waiter);
                waiter.address.store(to, Ordering::Relaxed);
                self.second().push(waiter);
                moved += 1;
            }
            if ptr::eq(at, end) {
                break;
            }
            at = next;
        }
        moved
    }
}
