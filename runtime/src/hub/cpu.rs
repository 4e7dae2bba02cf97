//! Tasks' CPU time: for the clocks that natively tell a thread's (`syscalls/clock.rs`).
//!
//! The kernel counts what each worker's thread uses: exactly, without the time in which it sleeps or others have its CPU. This time is given to
//! the tasks that the worker carries. A worker remembers how much of it has been given away ([`Worker::given`]); whoever gives more raises that by a
//! `fetch_max`, and so nothing is given twice, whoever comes first: all the tasks' clocks together never tell more than the process's.
//!
//! - Until somebody asks for a task's time, the receiver [looks](look_around) when it looks at the hubs, twice a slice, and gives what a hub has used
//!   since to the task that it ran last. A turn costs nothing more, and who computes is told as well as an operating system tells it that
//!   samples by a tick.
//! - From the first question on it is exact: a hub asks for its thread's time at the end of each turn, and gives it to the turn's task. That is a
//!   system call a turn, for programs that want to know.
//!
//! A question gives the task first what its present turn has used so far. On another thread than the task's that is a matter of order: the
//! thread's time is read first, then it is looked whether the task still has its turn there, then the time is given. If the turn ends
//! in between, its own end has given more already, and nothing is left to give.
//!
//! A call that the pool makes for a task is measured there. What a hub does between two turns (timers, readiness) is the next turn's. An ended
//! task's time is nobody's.

use super::{all, lone, Hub, Worker};
use crate::sys;
use crate::task::Task;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

/// Somebody has asked. It decides how exactly time is given, and nothing else: it need not be seen at once.
static ASKED: AtomicBool = AtomicBool::new(false);

/// The task's CPU time in ns, with that of its present turn so far.
pub(crate) fn time(task: &'static Task) -> u64 {
    count_exactly();
    if let Some(worker) = carrier(task) {
        let used = worker.cpu_time();
        if carrier(task).is_some_and(|w| ptr::eq(w, worker)) {
            worker.give(Some(task), used);
        }
    }
    task.cpu.load(Ordering::Relaxed)
}

/// Counts exactly from here on.
pub(crate) fn count_exactly() {
    if !ASKED.load(Ordering::Relaxed) && !ASKED.swap(true, Ordering::Relaxed) {
        all().iter().copied().chain(lone::all()).for_each(look);
    }
}

/// As [`time`], for who is content with what is known: nothing is counted more exactly for this question.
pub(crate) fn so_far(task: &'static Task) -> u64 {
    if ASKED.load(Ordering::Relaxed) {
        return time(task);
    }
    look(task.hub());
    task.cpu.load(Ordering::Relaxed)
}

/// The task is what the calling thread has been until now, and goes on with what that has used.
pub(crate) fn begin_with_callers(task: &Task) {
    if let Ok(usage) = sys::usage(libc::RUSAGE_THREAD) {
        let kernel = sys::microseconds(usage.ru_stime);
        let user = sys::microseconds(usage.ru_utime);
        task.usage.set((user + kernel, kernel));
    }
    task.cpu.store(own(), Ordering::Relaxed);
}

/// Makes a task's call on a thread that is no worker, and gives what it has used, for [`give`]; 0 if nobody has asked.
pub(crate) fn measure<T>(call: impl FnOnce() -> T) -> (T, u64) {
    if !ASKED.load(Ordering::Relaxed) {
        return (call(), 0);
    }
    let before = own();
    let result = call();
    (result, own() - before)
}

/// Gives a task what another thread has used for it. The caller holds what keeps the task from ending.
pub(crate) fn give(task: &Task, used: u64) {
    task.cpu.fetch_add(used, Ordering::Relaxed);
}

/// What the calling thread has used.
fn own() -> u64 {
    sys::cpu_time(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// A task's turn is over, on its worker's thread. `None`: so is the task.
#[inline]
pub(super) fn turn_ends(worker: &Worker, task: Option<&Task>) {
    if ASKED.load(Ordering::Relaxed) {
        turn_ended(worker, task);
    }
}

/// As [`turn_ends`], whether or not anybody has asked.
#[cold]
pub(super) fn turn_ended(worker: &Worker, task: Option<&Task>) {
    worker.give(task, own());
}

/// For the receiver, twice a slice while some hub is awake.
pub(crate) fn look_around() {
    if !ASKED.load(Ordering::Relaxed) {
        all().iter().copied().for_each(look);
    }
}

/// In a forked child: nobody has asked.
pub(super) fn forget_all() {
    ASKED.store(false, Ordering::Relaxed);
}

/// Gives what a hub has used to the task that it has run last.
fn look(hub: &'static Hub) {
    // SAFETY: null, or a task, whose memory is never unmapped.
    let current = || unsafe { hub.current.load(Ordering::Acquire).as_ref() };
    if current().is_some() {
        let worker = hub.worker();
        let used = worker.cpu_time();
        worker.give(current(), used);
    }
}

/// The worker on which the task has its turn, if it has one.
fn carrier(task: &'static Task) -> Option<&'static Worker> {
    if task.turn.is_down() {
        return None;
    }
    // SAFETY: null, or a worker, which is never freed.
    let away = unsafe { (task.away.worker() as *const Worker).as_ref() };
    away.or_else(|| {
        let hub = task.hub();
        let is_current = ptr::eq(hub.current.load(Ordering::Acquire), task);
        is_current.then(|| hub.worker())
    })
}

impl Worker {
    /// Gives away what the thread had used when it had used so much (ns), without what was given before.
    fn give(&self, task: Option<&Task>, used: u64) {
        let before = self.given.fetch_max(used, Ordering::Relaxed);
        if let Some(task) = task {
            give(task, used.saturating_sub(before));
        }
    }
}
