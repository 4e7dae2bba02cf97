//! A task opens a mask that it had closed for a moment, and asks the kernel only for what others have looked at and left: no signal
//! that comes meanwhile is left lying.
//!
//! Mirrors `see`, `forget_gone` and `consider` of `signal/shared.rs` and `change_mask` of `signal/mod.rs`, for one signal number.

use crate::seq_cst::AtomicBool;
use crate::{check, check_with, faulty, leak, Fault};
use loom::sync::atomic::{self, Ordering};
use loom::sync::Mutex;
use loom::thread;

/// The kernel's pending set, and the one task that could have the signal.
struct World {
    pending: Mutex<bool>,
    seen: AtomicBool,
    seeing: Mutex<()>,
    blocks: AtomicBool,
    signalled: atomic::AtomicBool,
}

impl World {
    /// The task has closed its mask. `seen`: of a signal that it took before.
    fn closed(seen: bool) -> &'static Self {
        leak(Self {
            pending: Mutex::new(false),
            seen: AtomicBool::new(seen),
            seeing: Mutex::new(()),
            blocks: AtomicBool::new(true),
            signalled: atomic::AtomicBool::new(false),
        })
    }

    fn is_pending(&self) -> bool {
        *self.pending.lock().unwrap()
    }

    fn see(&self) {
        let _seeing = self.seeing.lock().unwrap();
        self.seen.store(true, Ordering::SeqCst);
    }

    fn forget_gone(&self) {
        let early = faulty(Fault::AskedOutsideLock).then(|| self.is_pending());
        let _seeing = self.seeing.lock().unwrap();
        if !early.unwrap_or_else(|| self.is_pending()) {
            self.seen.store(false, Ordering::SeqCst);
        }
    }

    /// A signal comes, and the receiver looks at it.
    fn send(&self) {
        *self.pending.lock().unwrap() = true;
        if !faulty(Fault::SeenAfterMasks) {
            self.see();
        }
        if !self.blocks.load(Ordering::SeqCst) {
            self.signalled.store(true, Ordering::Release);
        }
        if faulty(Fault::SeenAfterMasks) {
            self.see();
        }
    }

    /// The task opens its mask again.
    fn open(&self) {
        self.blocks.swap(false, Ordering::SeqCst);
        if self.seen.load(Ordering::SeqCst) && self.is_pending() {
            self.signalled.store(true, Ordering::Release);
        }
    }

    fn is_told(&self) -> bool {
        self.signalled.load(Ordering::Acquire)
    }
}

/// A signal comes while the task opens its mask.
fn while_opening() {
    let world = World::closed(false);
    let sender = thread::spawn(|| world.send());
    world.open();
    sender.join().unwrap();
    assert!(world.is_told());
}

/// It comes before, while somebody finds that an earlier one is gone.
fn while_forgetting() {
    let world = World::closed(true);
    let sender = thread::spawn(|| world.send());
    world.forget_gone();
    sender.join().unwrap();
    world.open();
    assert!(world.is_told());
}

#[test]
fn a_signal_that_comes_meanwhile_is_told() {
    check(while_opening);
}

#[test]
fn a_signal_that_was_seen_is_not_forgotten() {
    check(while_forgetting);
}

#[test]
#[should_panic]
fn seen_after_masks() {
    check_with(Fault::SeenAfterMasks, while_opening);
}

#[test]
#[should_panic]
fn seen_and_masks_without_order() {
    check_with(Fault::NotSeqCst, while_opening);
}

#[test]
#[should_panic]
fn asked_outside_the_lock() {
    check_with(Fault::AskedOutsideLock, while_forgetting);
}
