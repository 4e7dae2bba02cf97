//! A hub's timers: deadlines in order, added and removed by the futures that wait for them.
//!
//! `may`'s own timed park is not used: it can report a stale time-out on a later park and runs the coroutine on its timer
//! thread. Here a timer exists exactly as long as the future that waits for it.

use crate::sys;
use crate::task::Task;
use std::cell::{Cell, UnsafeCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

/// What a pending timer tells when it fires: its task, and the flag in its future.
#[derive(Clone, Copy, Debug)]
struct Entry {
    task: &'static Task,
    fired: *const Cell<bool>,
}

/// The timers of one hub, touched by its thread only.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    by_deadline: UnsafeCell<BTreeMap<(u64, u64), Entry>>,
    sequence: Cell<u64>,
    /// The earliest deadline, for the receiver: it preempts a task that keeps a due timer waiting. 0: none.
    earliest: AtomicU64,
}

impl Timers {
    #[allow(clippy::mut_from_ref)]
    fn map(&self) -> &mut BTreeMap<(u64, u64), Entry> {
        // SAFETY: only the hub's thread comes here, and no caller keeps the reference over a call that could come again.
        unsafe { &mut *self.by_deadline.get() }
    }

    fn add(&self, deadline: u64, entry: Entry) -> u64 {
        let sequence = self.sequence.get() + 1;
        self.sequence.set(sequence);
        self.map().insert((deadline, sequence), entry);
        self.publish();
        sequence
    }

    fn remove(&self, deadline: u64, sequence: u64) {
        self.map().remove(&(deadline, sequence));
        self.publish();
    }

    fn publish(&self) {
        self.earliest
            .store(self.next().unwrap_or(0), Ordering::Relaxed);
    }

    /// Whether a deadline has passed at `now`. Any thread may ask.
    pub(crate) fn is_due(&self, now: u64) -> bool {
        let earliest = self.earliest.load(Ordering::Relaxed);
        earliest != 0 && earliest <= now
    }

    /// The earliest deadline (CLOCK_MONOTONIC ns).
    pub(crate) fn next(&self) -> Option<u64> {
        self.map()
            .first_key_value()
            .map(|((deadline, _), _)| *deadline)
    }

    /// Wakes the tasks whose deadlines have passed, in the deadlines' order; equal deadlines in the order they were set.
    pub(crate) fn expire(&self) {
        let Some(first) = self.next() else { return };
        let now = sys::now(libc::CLOCK_MONOTONIC);
        if first > now {
            return;
        }
        while let Some(entry) = self.map().first_entry() {
            if entry.key().0 > now {
                break;
            }
            let entry = entry.remove();
            // SAFETY: the future that holds the flag removes its entry when it is dropped, so it is alive.
            unsafe { (*entry.fired).set(true) };
            entry.task.wake();
        }
        self.publish();
    }
}

/// A future that is ready when a deadline has passed. Polled and dropped on its task's hub.
#[derive(Debug)]
pub(crate) struct Timer {
    task: &'static Task,
    deadline: u64,
    /// 0 before the first poll.
    sequence: u64,
    fired: Cell<bool>,
    _pin: PhantomPinned,
}

impl Timer {
    /// `deadline` in ns of CLOCK_MONOTONIC; `u64::MAX` never comes.
    pub(crate) fn new(task: &'static Task, deadline: u64) -> Self {
        Self {
            task,
            deadline,
            sequence: 0,
            fired: Cell::new(false),
            _pin: PhantomPinned,
        }
    }
}

impl Future for Timer {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.deadline == u64::MAX {
            return Poll::Pending;
        }
        if self.fired.get() {
            return Poll::Ready(());
        }
        // SAFETY: nothing is moved out.
        let this = unsafe { self.get_unchecked_mut() };
        if this.sequence == 0 {
            let entry = Entry {
                task: this.task,
                fired: &this.fired,
            };
            this.sequence = this.task.hub().timers.add(this.deadline, entry);
        }
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if self.sequence != 0 && !self.fired.get() {
            self.task.hub().timers.remove(self.deadline, self.sequence);
        }
    }
}
