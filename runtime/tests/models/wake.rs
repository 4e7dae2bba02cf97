//! Running a task while another thread signals it: the task sees the signal in this run, or is run again.
//!
//! Mirrors `Task::wake` of `task.rs`, the beginning of `Hub::run_task` of `hub/mod.rs`, and `notify` of `signal/mod.rs`.

use crate::bell::Bell;
use crate::{check, check_with, faulty, leak, Fault};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

struct Task {
    queued: AtomicBool,
    signalled: AtomicBool,
    /// The hub's queue: it only ever holds this task.
    ready: Bell,
}

impl Task {
    fn wake(&self) {
        if !self.queued.swap(true, Ordering::AcqRel) {
            self.ready.ring();
        }
    }

    fn notify(&self) {
        self.signalled.store(true, Ordering::Release);
        self.wake();
    }

    /// True if the task saw the signal.
    fn run(&self) -> bool {
        if faulty(Fault::UnqueuedByStore) {
            self.queued.store(false, Ordering::Release);
        } else {
            self.queued.swap(false, Ordering::AcqRel);
        }
        self.signalled.load(Ordering::Acquire)
    }
}

fn signal() {
    let task = leak(Task {
        queued: AtomicBool::new(false),
        signalled: AtomicBool::new(false),
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
