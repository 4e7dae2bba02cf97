//! Signals for the process between the kernel, whoever sees them come, and tasks that change their masks: none is left lying that some
//! task could take and nobody was told of.
//!
//! Mirrors `consider`, `pass_on` and `take` of `signal/shared.rs`, and `set_mask` and `deliver` of `signal/mod.rs`, for one signal number that
//! queues. The kernel's pending set is behind a lock, as it is there.

use crate::{check, check_with, faulty, leak, Fault};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::sync::Mutex;
use loom::thread;

#[derive(Default)]
struct Task {
    blocks: AtomicBool,
    signalled: AtomicBool,
}

/// The kernel's pending set, and two tasks, of which the first is preferred.
#[derive(Default)]
struct World {
    pending: Mutex<u32>,
    tasks: [Task; 2],
}

impl World {
    fn is_pending(&self) -> bool {
        *self.pending.lock().unwrap() != 0
    }

    fn take(&self) -> bool {
        let mut pending = self.pending.lock().unwrap();
        let any = *pending != 0;
        *pending -= u32::from(any);
        any
    }

    fn taker(&self, but: Option<usize>) -> Option<&Task> {
        let mut tasks = self.tasks.iter().enumerate();
        tasks
            .find(|(i, t)| Some(*i) != but && !t.blocks.load(Ordering::SeqCst))
            .map(|(_, t)| t)
    }

    /// A signal comes, and somebody looks at it.
    fn send(&self) {
        *self.pending.lock().unwrap() += 1;
        self.consider();
    }

    fn consider(&self) {
        if let Some(taker) = self.taker(None) {
            taker.signalled.store(true, Ordering::Release);
        }
    }

    fn pass_on(&self, from: usize) {
        if self.is_pending() {
            if let Some(other) = self.taker(Some(from)) {
                other.signalled.store(true, Ordering::Release);
            }
        }
    }

    fn set_mask(&self, at: usize, blocks: bool) {
        let task = &self.tasks[at];
        let early = faulty(Fault::LookBeforeMask).then(|| self.is_pending());
        let was = task.blocks.swap(blocks, Ordering::SeqCst);
        if blocks && !was && task.signalled.load(Ordering::SeqCst) {
            self.pass_on(at);
        }
        if was && !blocks && early.unwrap_or_else(|| self.is_pending()) {
            task.signalled.store(true, Ordering::Release);
        }
    }

    /// A task that was told looks. Its handler blocks the signal. Gives how many it took.
    fn deliver(&self, at: usize) -> u32 {
        let task = &self.tasks[at];
        if !task.signalled.load(Ordering::Acquire) {
            return 0;
        }
        task.signalled.store(false, Ordering::Release);
        if !task.blocks.load(Ordering::Relaxed) && self.take() {
            task.blocks.store(true, Ordering::SeqCst);
            if !faulty(Fault::MoreNotOffered) {
                self.pass_on(at);
            }
            return 1;
        }
        if !faulty(Fault::NotPassedOn) {
            self.pass_on(at);
        }
        0
    }
}

/// The task that was told of a signal blocks it at that moment: the other one gets it.
fn blocked_meanwhile() {
    let world: &World = leak(World::default());
    let sender = thread::spawn(move || world.send());
    world.set_mask(0, true);
    sender.join().unwrap();
    // It was woken if it was told.
    world.deliver(0);
    assert_eq!(world.deliver(1), 1);
}

/// Both block a signal; one opens its mask while it comes, and takes it.
fn opened_meanwhile() {
    let world: &World = leak(World::default());
    world.set_mask(0, true);
    world.set_mask(1, true);
    let sender = thread::spawn(move || world.send());
    world.set_mask(0, false);
    sender.join().unwrap();
    assert_eq!(world.deliver(0), 1);
}

/// Two come, and the first task, which takes one, blocks the other while its handler runs: the other task gets that.
fn more_than_one() {
    let world: &World = leak(World::default());
    let sender = thread::spawn(move || {
        world.send();
        world.send();
    });
    let mut first = world.deliver(0);
    sender.join().unwrap();
    if first == 0 {
        first = world.deliver(0);
    } else {
        world.deliver(0);
    }
    assert_eq!((first, world.deliver(1)), (1, 1));
}

#[test]
fn a_signal_that_is_blocked_meanwhile_goes_to_another() {
    check(blocked_meanwhile);
}

#[test]
fn a_signal_is_seen_by_who_opens_its_mask() {
    check(opened_meanwhile);
}

#[test]
fn more_signals_go_to_others() {
    check(more_than_one);
}

#[test]
#[should_panic]
fn not_passed_on() {
    check_with(Fault::NotPassedOn, blocked_meanwhile);
}

#[test]
#[should_panic]
fn look_before_mask() {
    check_with(Fault::LookBeforeMask, opened_meanwhile);
}

#[test]
#[should_panic]
fn more_not_offered() {
    check_with(Fault::MoreNotOffered, more_than_one);
}
