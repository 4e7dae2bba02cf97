//! Signals pending for the process: the kernel keeps them, until a task takes one.
//!
//! All threads of the runtime block them, so they stay where they are. That makes `sigpending`, signalfd (read by whichever task), queue
//! limits, the order of real-time signals, timer overruns and what a new program inherits the kernel's own affair. A task takes what
//! it may have by an `rt_sigtimedwait` that does not wait, on its hub's thread.
//!
//! No takeable signal is lost. Somebody looks ([`consider`]) whenever one comes: the receiver, told by a signalfd of its own, and the task
//! that sent it, if it was one of ours. Who looks tells a task that may have it. Whoever was told and does not take it, because it blocks it by now, or
//! ends, or because its handler blocks more of them, tells another one ([`pass_on`]); and a task that unblocks a signal looks for itself.
//! The mask is stored before that look, and the sender's signal is pending before the receiver looks at masks, so one of them sees the other.
//!
//! What somebody has looked at and left is in [`SEEN`], before he looks at masks: so a task that opens what it had closed only for the making
//! of a thread ([`Task::brief`]) asks the kernel only for what it finds there. What nobody has looked at yet the receiver will, and find the
//! mask open. (Other tasks ask the kernel itself: they may know of a signal before the receiver does.)
//!
//! Not everything can be the kernel's: the numbers of faults and [`super::KICK`] no hub blocks, so those that somebody *sends* come by
//! the handler and the receiver ([`super::fault::sent`]), and are *held* here. That is all that is.

use super::{
    bit, lock_actions, Action, Disposition, Info, TaskSignals, RELAY, SIGWAITERS, UNBLOCKED,
};
use crate::config;
use crate::hub;
use crate::sys;
use crate::syscalls::timer;
use crate::task::{self, lock, Task};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Mutex;

/// Signals for the process that the kernel cannot hold for us.
static HELD: Mutex<TaskSignals> = Mutex::new(TaskSignals::new());
/// A copy of its pending set, to look at without the lock.
static HELD_PENDING: AtomicU64 = AtomicU64::new(0);

/// Signals that somebody has considered and that may still be pending in the kernel. Changed under [`SEEING`], so that what is considered
/// anew is not forgotten by who has found it gone before.
static SEEN: AtomicU64 = AtomicU64::new(0);
static SEEING: Mutex<()> = Mutex::new(());

/// Signals are about to be considered.
fn see(set: u64) {
    let _seeing = lock(&SEEING);
    SEEN.fetch_or(set, Ordering::SeqCst);
}

/// Forgets what is not pending any more.
#[cold]
fn forget_gone() {
    let _seeing = lock(&SEEING);
    SEEN.fetch_and(ask_kernel(), Ordering::SeqCst);
}

/// Signals of which somebody has heard, and that may be pending for the process: whoever looks after he has opened his mask finds all that
/// the receiver will not tell him of.
pub(super) fn left() -> u64 {
    SEEN.load(Ordering::SeqCst) | HELD_PENDING.load(Ordering::SeqCst)
}

/// Whether calls of the program's may raise signals for it, beyond kill(2) and what is told otherwise: a descriptor has an owner, a queue
/// tells by a signal.
static RAISED_BY_CALLS: AtomicBool = AtomicBool::new(false);

/// The program asks for such signals.
pub(crate) fn calls_raise() {
    RAISED_BY_CALLS.store(true, Ordering::Relaxed);
}

/// Whether it has done so.
#[inline]
pub(crate) fn may_calls_raise() -> bool {
    RAISED_BY_CALLS.load(Ordering::Relaxed)
}

/// A task's call is done: a signal that it raised comes before its result, as natively, and not when the receiver hears of it.
#[inline]
pub(crate) fn after_call() {
    if may_calls_raise() {
        consider_all();
    }
}

/// Considers whatever is pending.
#[cold]
pub(crate) fn consider_all() {
    let pending = pending();
    for signal in (1..=64).filter(|s| pending & bit(*s) != 0) {
        consider(signal);
    }
}

fn with_held<T>(f: impl FnOnce(&mut TaskSignals) -> T) -> T {
    let mut held = lock(&HELD);
    let result = f(&mut held);
    HELD_PENDING.store(held.pending, Ordering::SeqCst);
    result
}

/// Signals that only the receiver takes out of the kernel: they are the library's, or not what they seem. A task that took the dump's
/// signal would find no handler, and die by it.
pub(super) fn reserved() -> u64 {
    let dump = config::get().dump_signal;
    let dump = if dump == 0 { 0 } else { bit(dump) };
    UNBLOCKED | bit(RELAY) | dump
}

/// What the kernel has pending for the process and for the calling thread.
fn ask_kernel() -> u64 {
    let mut set = 0u64;
    // SAFETY: fills the set.
    let _ = unsafe { sys!(SYS_rt_sigpending, &mut set, 8) };
    set
}

/// What the kernel has pending for the process, on a thread that has nothing of its own pending but what is [`reserved`].
fn in_kernel() -> u64 {
    let set = ask_kernel();
    if SEEN.load(Ordering::Relaxed) & !set != 0 {
        forget_gone();
    }
    set & !reserved()
}

/// The signals pending for the process.
pub(crate) fn pending() -> u64 {
    in_kernel() | HELD_PENDING.load(Ordering::SeqCst)
}

/// Whether a signal is pending for the process.
pub(crate) fn is_pending(signal: i32) -> bool {
    pending() & bit(signal) != 0
}

/// Takes a signal of `set` out of the kernel, on any thread.
pub(super) fn take_from_kernel(set: u64) -> Option<Info> {
    let mut info = Info::of_kernel(0, 0);
    let none = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the buffers are valid; it does not wait.
    let got = unsafe { sys!(SYS_rt_sigtimedwait, &set, &mut info, &none, 8) };
    got.ok()?;
    note_taken(&mut info);
    Some(info)
}

/// The kernel has given a signal away.
pub(super) fn note_taken(info: &mut Info) {
    if info.signal == libc::SIGCHLD {
        // The receiver may come too late to see it; and the next one will be told again.
        hub::child_changed();
    }
    if info.code == libc::SI_TIMER {
        timer::taken(info);
    }
}

/// Puts a signal for the process into the kernel's queue; it is lost where that is full.
pub(crate) fn queue(info: &Info) {
    // SAFETY: the kernel copies the struct.
    let _ = unsafe { sys!(SYS_rt_sigqueueinfo, sys::process_id(), info.signal, info) };
    consider(info.signal);
}

/// Takes a pending signal of `set`.
pub(crate) fn take(set: u64) -> Option<Info> {
    if HELD_PENDING.load(Ordering::SeqCst) & set != 0 {
        if let Some(info) = with_held(|s| s.take(set)) {
            return Some(info);
        }
    }
    take_from_kernel(set & !reserved())
}

/// A signal for the process that the kernel does not hold: the receiver got it, or a task sent it.
pub(crate) fn hold(info: Info) {
    let signal = info.signal;
    if super::action(signal).disposition(signal) != Disposition::Ignore || blocked_by_main(signal) {
        with_held(|s| s.push(info));
    }
    consider(signal);
}

/// Forgets what is held of a signal that is ignored from now on, as the kernel does with its own.
pub(super) fn forget(signal: i32) {
    with_held(|s| while s.take(bit(signal)).is_some() {});
}

fn blocked_by_main(signal: i32) -> bool {
    task::main().is_some_and(|m| m.mask.load(Ordering::SeqCst) & bit(signal) != 0)
}

/// A signal came for the process: what is to be done about it, and who is to be told? Called when it is pending, by anybody, and more
/// than once does no harm.
pub(crate) fn consider(signal: i32) {
    // Before any look at masks.
    see(bit(signal));
    if signal == libc::SIGCHLD {
        hub::child_changed();
    }
    if tell_sigwaiter(signal) {
        return;
    }
    // What the action says is done under its lock, to a signal that is there: the one that this call is about may have been taken, and the action
    // changed since; and one that comes after a handler was set must not be taken for one that came before, and was ignored.
    let actions = lock_actions();
    if take_ignored(&*actions, signal) {
        return;
    }
    let disposition = actions[signal as usize].disposition(signal);
    let Some(taker) = taker(signal, None) else {
        return;
    };
    match disposition {
        Disposition::Kill => {
            // It stays: so nobody else who sees to it goes on.
            if is_pending(signal) {
                drop(actions);
                super::die(signal);
            }
        }
        Disposition::Stop => {
            if take(bit(signal)).is_some() {
                super::stop(signal);
            }
        }
        Disposition::Ignore | Disposition::Handle => {
            drop(actions);
            super::notify(taker);
        }
    }
}

/// Takes a signal that is ignored, if it is one: then it is for nobody.
fn take_ignored(actions: &[Action], signal: i32) -> bool {
    let is_ignored = actions[signal as usize].disposition(signal) == Disposition::Ignore
        && !blocked_by_main(signal);
    if is_ignored {
        take(bit(signal));
    }
    is_ignored
}

/// Those pending signals that some task may take.
pub(super) fn takeable() -> u64 {
    let pending = pending();
    (1..=64)
        .filter(|s| pending & bit(*s) != 0 && taker(*s, None).is_some())
        .fold(0, |set, s| set | bit(s))
}

/// Tells a task that waits for a signal by `sigtimedwait`.
fn tell_sigwaiter(signal: i32) -> bool {
    let waiters = lock(&SIGWAITERS);
    let waits = |t: &&&'static Task| lock(&t.signals).waits_for & bit(signal) != 0;
    match waiters.iter().find(waits) {
        Some(waiter) => {
            super::notify(waiter);
            true
        }
        None => false,
    }
}

/// A task that does not block a signal: the main task if it may, as in the kernel, or any other. What the timers of the process's CPU time send
/// is for who uses it, as in the kernel, which sends it to the thread that it finds at work: profilers live by that.
fn taker(signal: i32, but: Option<&'static Task>) -> Option<&'static Task> {
    let takes = |t: &&'static Task| {
        t.mask.load(Ordering::SeqCst) & bit(signal) == 0
            && !but.is_some_and(|b| std::ptr::eq(b, *t))
    };
    let at_work = [libc::SIGPROF, libc::SIGVTALRM].contains(&signal);
    let at_work = at_work.then(|| hub::at_work().find(takes)).flatten();
    at_work
        .or_else(|| task::main().filter(takes))
        .or_else(|| task::all().find(takes))
}

/// Offers those signals of `set` that are pending for the process to other tasks: this one was told of them, and blocks them.
pub(super) fn pass_on(task: &'static Task, set: u64) {
    let left = set & pending();
    for signal in (1..=64).filter(|s| left & bit(*s) != 0) {
        if !tell_sigwaiter(signal) {
            if let Some(other) = taker(signal, Some(task)) {
                super::notify(other);
            }
        }
    }
}

/// Whether the program has made a signalfd: then signals may go without anybody being told.
static READ_BY_FD: AtomicBool = AtomicBool::new(false);

/// The program makes a signalfd.
pub(crate) fn will_be_read() {
    READ_BY_FD.store(true, Ordering::Relaxed);
}

/// Whether what a child does from now on is told by [`hub::child_changed`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Told {
    /// At once.
    Surely,
    /// When a SIGCHLD that is pending, to which others are not added, has been taken: somebody was told to.
    Soon,
    /// Perhaps never: SIGCHLD can go past us, or nobody takes the one that is pending.
    Not,
}

/// See [`Told`]. Takes a pending SIGCHLD if that is for the library to do. (Not by [`consider`], which wakes all who wait: this is one of them, and would
/// come again until it is taken.)
pub(crate) fn tells_of_children() -> Told {
    const CHILD: i32 = libc::SIGCHLD;
    if READ_BY_FD.load(Ordering::Relaxed) {
        return Told::Not;
    }
    if is_pending(CHILD) && !tell_sigwaiter(CHILD) {
        take_ignored(&*lock_actions(), CHILD);
    }
    if !is_pending(CHILD) {
        Told::Surely
    } else if taker(CHILD, None).is_some() {
        Told::Soon
    } else {
        Told::Not
    }
}

/// In a forked child: nothing is pending.
pub(super) fn reset() {
    with_held(TaskSignals::clear);
    SEEN.store(0, Ordering::SeqCst);
}
