//! A task that is away with a worker that lost its hub: when it comes back, exactly one side goes on with it, and a signal that came
//! meanwhile is seen.

use crate::bell::Bell;
use crate::real_away::Away;
use crate::real_turn::Turn;
use crate::{check, check_with, faulty, leak, Fault};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{self, Ordering};
use loom::thread;

/// The word of [`Away`], with the faults that it could have.
#[derive(Debug, Default)]
pub struct AtomicUsize(atomic::AtomicUsize);

impl AtomicUsize {
    pub fn load(&self, order: Ordering) -> usize {
        self.0.load(order)
    }

    pub fn store(&self, value: usize, order: Ordering) {
        self.0.store(value, order);
    }

    pub fn swap(&self, value: usize, order: Ordering) -> usize {
        if faulty(Fault::BackByStore) {
            let old = self.0.load(Ordering::SeqCst);
            self.0.store(value, order);
            return old;
        }
        self.0.swap(value, order)
    }

    pub fn compare_exchange(
        &self,
        current: usize,
        new: usize,
        success: Ordering,
        failure: Ordering,
    ) -> Result<usize, usize> {
        if faulty(Fault::PassedWithoutLook) {
            return Ok(current);
        }
        self.0.compare_exchange(current, new, success, failure)
    }
}

struct Task {
    turn: Turn,
    away: Away,
    signalled: atomic::AtomicBool,
    /// The task's own: one side at a time may touch it.
    state: UnsafeCell<u32>,
    /// The hub's queue: it only ever holds this task.
    ready: Bell,
}

// SAFETY: loom checks what `state` is used for.
unsafe impl Sync for Task {}

impl Task {
    fn wake(&self) {
        if self.turn.claim() {
            self.ready.ring();
        }
    }

    fn run(&self) {
        // SAFETY: loom checks it.
        self.state.with_mut(|state| unsafe { *state += 1 });
    }
}

/// `relieve`, `hand_over` and the beginning of `Hub::run_task`. `hinted`: somebody woke the task while it ran.
fn away(hinted: bool) {
    let task = leak(Task {
        turn: Turn::default(),
        away: Away::default(),
        signalled: atomic::AtomicBool::new(false),
        state: UnsafeCell::new(0),
        ready: Bell::new(),
    });
    task.turn.begin();
    if hinted {
        task.wake();
    }
    task.away.go_away(2, task.turn.claim());
    thread::spawn(|| {
        task.run();
        task.turn.put_down();
        if task.away.come_back() {
            task.ready.ring();
        }
    });
    thread::spawn(|| {
        task.signalled.store(true, Ordering::Release);
        task.wake();
    });
    loop {
        task.ready.wait();
        if task.away.pass_claim() {
            continue;
        }
        task.turn.begin();
        task.run();
        if task.signalled.load(Ordering::Acquire) {
            break;
        }
        task.turn.put_down();
    }
}

#[test]
fn one_side_goes_on_with_it() {
    check(|| away(false));
}

#[test]
fn one_side_goes_on_with_it_after_a_hint() {
    check(|| away(true));
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_store_at_the_return_loses_the_claim() {
    check_with(Fault::BackByStore, || away(true));
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_claim_passed_to_one_who_has_gone_is_lost() {
    check_with(Fault::PassedWithoutLook, || away(true));
}
