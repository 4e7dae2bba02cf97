//! A task between its hub and its wakers: it sees what it was woken for in this run or is run again, and nobody takes it over before
//! its hub has put it down.

use crate::bell::Bell;
use crate::real_turn::Turn;
use crate::{check, check_with, faulty, leak, Fault};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{self, Ordering};
use loom::sync::Mutex;
use loom::thread;

/// The flags of [`Turn`], with the faults that it could have.
#[derive(Debug, Default)]
pub struct AtomicBool(atomic::AtomicBool);

impl AtomicBool {
    pub fn load(&self, order: Ordering) -> bool {
        self.0.load(order)
    }

    pub fn store(&self, value: bool, order: Ordering) {
        let order = match order {
            Ordering::Release if faulty(Fault::PutDownRelaxed) => Ordering::Relaxed,
            other => other,
        };
        self.0.store(value, order);
    }

    pub fn swap(&self, value: bool, order: Ordering) -> bool {
        if !value && faulty(Fault::UnqueuedByStore) {
            self.0.store(value, Ordering::Release);
            return true;
        }
        self.0.swap(value, order)
    }
}

/// The hub's queue: it only ever holds this task.
struct Task {
    turn: Turn,
    signalled: atomic::AtomicBool,
    ready: Bell,
}

impl Task {
    fn wake(&self) {
        if self.turn.claim() {
            self.ready.ring();
        }
    }

    /// `notify` of `signal/mod.rs`.
    fn notify(&self) {
        self.signalled.store(true, Ordering::Release);
        self.wake();
    }

    /// The beginning of `Hub::run_task`. True if the task saw the signal.
    fn run(&self) -> bool {
        self.turn.begin();
        self.signalled.load(Ordering::Acquire)
    }
}

fn signal() {
    let task = leak(Task {
        turn: Turn::default(),
        signalled: atomic::AtomicBool::new(false),
        ready: Bell::new(),
    });
    // A hint that is on its way when the signal comes.
    task.wake();
    thread::spawn(|| task.notify());
    loop {
        task.ready.wait();
        if task.run() {
            break;
        }
    }
}

#[test]
fn no_signal_is_missed() {
    check(signal);
}

#[test]
#[should_panic(expected = "deadlock")]
fn a_store_before_the_look_misses_a_signal() {
    check_with(Fault::UnqueuedByStore, signal);
}

/// A task that waits on a futex of two words: the bucket, and the task's own state, which only one hub may touch at a time.
struct Waiting {
    turn: Turn,
    bucket: Mutex<bool>,
    state: UnsafeCell<u32>,
    home: Bell,
}

// SAFETY: loom checks what `state` is used for.
unsafe impl Sync for Waiting {}

/// `Hub::run_task` for a task that goes into the bucket and then on parking, while a waker on another hub takes it out of there
/// and, if it may, runs it itself (`balance::place`).
fn taken_over() {
    let task = leak(Waiting {
        turn: Turn::default(),
        bucket: Mutex::new(false),
        state: UnsafeCell::new(0),
        home: Bell::new(),
    });
    // SAFETY: loom checks it.
    let run = || task.state.with_mut(|state| unsafe { *state += 1 });
    assert!(task.turn.claim());
    let waker = thread::spawn(move || {
        let linked = std::mem::take(&mut *task.bucket.lock().unwrap());
        if !linked || !task.turn.claim() {
            return false;
        }
        if !faulty(Fault::TakenInHand) && !task.turn.is_down() {
            task.home.ring();
            return false;
        }
        task.turn.begin();
        run();
        task.turn.put_down();
        true
    });
    task.turn.begin();
    *task.bucket.lock().unwrap() = true;
    run();
    task.turn.put_down();
    if !waker.join().unwrap() && !*task.bucket.lock().unwrap() {
        task.home.wait();
        task.turn.begin();
        run();
    }
}

#[test]
fn nobody_takes_over_what_a_hub_has_in_hand() {
    check(taken_over);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn taking_without_a_look_is_a_race() {
    check_with(Fault::TakenInHand, taken_over);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn putting_down_without_release_is_a_race() {
    check_with(Fault::PutDownRelaxed, taken_over);
}
