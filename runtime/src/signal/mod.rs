//! Signals: what the kernel does for threads, done for tasks.
//!
//! Signals for the process stay in the kernel, which all threads of the runtime keep from delivering them ([`shared`]); the
//! [`receiver`] (the process's first OS thread) is told when one comes, and tells a task that may have it. Signals for a task are here, in
//! its own pending set. A task takes what its mask lets through at its next crossing, which runs the handler on the task's own stack
//! in a frame ([`frame`]) that looks like the kernel's.
//!
//! The program's `rt_sigaction`s also reach the kernel, but for those of faults ([`fault`]). It acts on them for children (`SIG_IGN` and `SA_NOCLDWAIT` of
//! SIGCHLD) and at `exec`. For handlers it has one of the library's, which only a task in its window or a vfork child ever meets ([`struck_in_window`],
//! [`handle_natively`]); forked children, which are native again, have the program's.

mod actions;
pub mod fault;
pub(crate) mod frame;
pub(crate) mod lend;
mod pending;
pub(crate) mod preempt;
pub mod receiver;
mod shared;

pub(crate) use actions::{action, actions_of_child, set_action, Action};
pub use actions::{give_actions_back, read_actions, take_actions_over};
pub(crate) use lend::Lent;
pub(crate) use pending::{Info, TaskSignals};
pub(crate) use shared::{
    after_call, calls_raise, consider, consider_all, hold, is_pending, may_calls_raise, queue,
    tells_of_children, will_be_read, Told,
};

pub use frame::{localize as localize_frame, Ucontext as KernelContext};

use crate::context::Context;
use crate::hub;
use crate::sys;
use crate::sys::Errno;
use crate::task::{self, lock, Task};
use actions::{lock_actions, try_action, Disposition, STOPS_BY_DEFAULT};
use std::sync::atomic::Ordering;
use std::sync::Mutex;

/// For the handler of [`KICK`]: whether the task whose code it struck is to cross, preempted.
///
/// # Safety
/// As [`preempt::strike`].
pub unsafe fn preempt_strike(context: *mut crate::context::Context, frame: *const u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe { preempt::strike(context, frame, preempt::PREEMPTED) }
}

/// For the handler of [`KICK`]: a call of [`sys::interruptible`] that it struck ends.
///
/// # Safety
/// `context` is the kernel's.
pub unsafe fn end_interruptible(context: *mut libc::c_void) {
    // SAFETY: the caller's promise.
    let machine = unsafe { &mut (*context.cast::<KernelContext>()).machine };
    if sys::is_interruptible(machine.rip, machine.rcx) {
        machine.rip = machine.rcx;
        machine.rax = sys::encode(Err(Errno::RESTART_SYS));
    }
}

/// The pseudo system call by which a handler's frame returns.
pub const RETURN: usize = 0x434f_4f50;

/// The bit of a signal in a mask.
pub const fn bit(signal: i32) -> u64 {
    1 << (signal - 1)
}

/// Faults: the kernel sends them to the thread that caused them, and no runtime thread blocks them. SIGSYS is among them: the trap
/// door's.
pub(crate) const SYNCHRONOUS: u64 = bit(libc::SIGSEGV)
    | bit(libc::SIGBUS)
    | bit(libc::SIGFPE)
    | bit(libc::SIGILL)
    | bit(libc::SIGTRAP)
    | bit(libc::SIGSYS);
/// The library's own signal: it preempts a hub's task, interrupts a pool thread's call, and ends the receiver's rest. Linux defines it
/// and never sends it, and so do programs. (It cannot be SIGSYS: standard signals do not queue, and a trap that finds one pending
/// would be lost, and its system call with it.)
pub const KICK: i32 = libc::SIGSTKFLT;
/// The signal by which the kernel tells the receiver of something that is for one task (a timer's end): the kernel does not know tasks. It is the one
/// by which libc cancels threads, which it sends to threads only, that is to tasks: in the kernel nobody uses it. It queues.
pub(crate) const RELAY: i32 = 32;
/// What the runtime's threads leave unblocked.
pub const UNBLOCKED: u64 = SYNCHRONOUS | bit(KICK);
/// What cannot be blocked.
const UNBLOCKABLE: u64 = bit(libc::SIGKILL) | bit(libc::SIGSTOP);

/// What a libc function that blocks all signals leaves unblocked: what cannot be blocked, and libc's own two (cancellation, setxid).
pub(crate) const NEVER_BLOCKED: u64 = UNBLOCKABLE | bit(32) | bit(33);
/// Tasks in `sigtimedwait`.
static SIGWAITERS: Mutex<Vec<&'static Task>> = Mutex::new(Vec::new());

/// What an interrupted call was: set by [`interrupted`], used up by [`deliver`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupted {
    number: u64,
    /// It is made again after a handler with SA_RESTART.
    restart: bool,
    /// It is made again after any handler.
    always: bool,
}

/// The kernel mask of every thread of the runtime.
pub fn block_in_hub() {
    set_kernel_mask(!UNBLOCKED);
}

/// Sets the calling OS thread's mask.
pub(crate) fn set_kernel_mask(mask: u64) {
    // SAFETY: reads eight bytes.
    let _ = unsafe { sys!(SYS_rt_sigprocmask, libc::SIG_SETMASK, &mask, 0, 8) };
}

/// Tells a task that there is a signal to look at.
fn notify(task: &'static Task) {
    // Under the lock the task cannot end between the look and the wake.
    let signals = lock(&task.signals);
    if task.live.load(Ordering::Acquire) {
        task.signalled.store(true, Ordering::Release);
        task.wake();
    }
    drop(signals);
    reach(task);
}

/// Whether `RLIMIT_SIGPENDING` is reached by so many signals of one task. (The kernel counts all of the user's, of which it does not know these.)
fn over_limit(queued: usize) -> bool {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: fills the struct.
    let got = unsafe { sys!(SYS_getrlimit, libc::RLIMIT_SIGPENDING, &mut limit) };
    got.is_ok() && queued as u64 >= limit.rlim_cur
}

/// A task that got a signal and is in program code, or away in a call, is interrupted there.
fn reach(task: &'static Task) {
    hub::relief::signalled(task);
    let hub = task.hub();
    let running = std::ptr::eq(hub.current.load(Ordering::Relaxed), task);
    // On its own hub it is at a crossing. A kick that comes too late strikes at nothing, and one that was not sent because the task was just
    // about to go on is made up for by the end of its slice.
    if running && hub::current().is_none_or(|h| !std::ptr::eq(h, hub)) {
        let worker = hub.worker();
        if worker.gate.in_program.load(Ordering::SeqCst) != 0
            && !worker.kicked.swap(true, Ordering::SeqCst)
        {
            preempt::send(worker);
        }
        hub.insist();
    }
}

/// A signal is about to be sent, to the process or to one of its tasks: those that stop discard SIGCONT, and it discards them, wherever they are
/// pending (signal(7) leaves that to POSIX). The kernel does it for what it holds.
pub(crate) fn cancel_opposites(signal: i32) {
    let gone = match bit(signal) {
        stop if stop & STOPS_BY_DEFAULT != 0 => bit(libc::SIGCONT),
        _ if signal == libc::SIGCONT => STOPS_BY_DEFAULT,
        _ => return,
    };
    for task in task::all() {
        let mut own = lock(&task.signals);
        while own.take(gone).is_some() {}
    }
    while shared::take(gone).is_some() {}
}

/// A signal for one task. `ESRCH` if it has ended.
pub(crate) fn post_to(task: &'static Task, id: i32, info: Info) -> Result<(), Errno> {
    cancel_opposites(info.signal);
    let mut signals = lock(&task.signals);
    if !task.live.load(Ordering::Acquire) || task.id() != id {
        return Err(Errno::SRCH);
    }
    let blocked = (task.mask.load(Ordering::Relaxed) | signals.waits_for) & bit(info.signal) != 0;
    if !blocked && action(info.signal).disposition(info.signal) == Disposition::Ignore {
        return Ok(());
    }
    let queues = info.signal >= 32 && info.code != libc::SI_TIMER;
    if queues && (!signals.has_room() || over_limit(signals.len())) {
        return Err(Errno::AGAIN);
    }
    signals.push(info);
    if blocked {
        task.news.store(true, Ordering::Release);
    }
    task.signalled.store(true, Ordering::Release);
    task.wake();
    drop(signals);
    if !blocked {
        reach(task);
    }
    Ok(())
}

/// What a task has pending that it does not block: its own and the process's.
fn deliverable(task: &Task) -> u64 {
    let own = lock(&task.signals).pending;
    (own | shared::pending()) & !task.mask.load(Ordering::Relaxed)
}

/// Whether there is a signal that should end a task's wait: one that has a handler, or that kills or stops.
fn any_interrupts(set: u64) -> bool {
    (1..=64).any(|s| set & bit(s) != 0 && action(s).disposition(s) != Disposition::Ignore)
}

/// Whether a signal should end a task's wait. On the task's own hub.
#[inline]
pub(crate) fn interrupts(task: &'static Task) -> bool {
    task.signalled.load(Ordering::Acquire) && look(task)
}

/// The same, for another thread: it leaves the looking to the task.
pub(crate) fn would_interrupt(task: &'static Task) -> bool {
    task.signalled.load(Ordering::Acquire) && any_interrupts(deliverable(task))
}

/// Looks for signals that a task may take. `signalled` says afterwards whether there are any: cleared before the look, so that what
/// comes after it is seen.
#[cold]
pub(crate) fn look(task: &'static Task) -> bool {
    task.signalled.swap(false, Ordering::AcqRel);
    let set = deliverable(task);
    if set != 0 {
        task.signalled.store(true, Ordering::Release);
    }
    any_interrupts(set)
}

/// What a call that a signal interrupted leaves in `rax` for now; [`deliver`] runs before the task goes on.
pub(crate) fn interrupted(task: &'static Task, code: Errno) -> u64 {
    let number = u64::try_from(task.call_number.get()).unwrap_or(0);
    task.interrupted.set(Some(Interrupted {
        number,
        restart: code == Errno::RESTART_SYS,
        always: code == Errno::RESTART_NOINTR,
    }));
    task.signalled.store(true, Ordering::Release);
    sys::encode(Err(Errno::INTR))
}

/// A task's mask changes for the time of one call (`ppoll`, `sigsuspend`): the old one comes back when it ends, or when the
/// handler that ended it returns.
pub(crate) fn mask_for_call(task: &'static Task, mask: u64) {
    task.restore_mask
        .set(Some(task.mask.load(Ordering::Relaxed)));
    set_mask(task, mask);
}

/// The call is over, and no handler is to see the mask that it had: the old one comes back.
pub(crate) fn mask_after_call(task: &'static Task) {
    if let Some(mask) = task.restore_mask.take() {
        set_mask(task, mask);
    }
}

/// Sets a task's mask. What it opens is looked for; what it newly blocks, and the task had been told of, is offered to others.
pub(crate) fn set_mask(task: &'static Task, mask: u64) {
    change_mask(task, mask, 0);
}

/// As [`set_mask`]. `brief`: what was open until a moment ago, since when the program's code has not run ([`Task::brief`]). If it opens
/// nothing else, the kernel is not asked: what is pending there was as good as sent before the mask was closed, and its turn comes as it
/// would have come then, when the receiver hears of it.
pub(crate) fn change_mask(task: &'static Task, mask: u64, brief: u64) {
    let mask = mask & !UNBLOCKABLE;
    // Before the looks below, and before a sender's look at it: see `shared`.
    let old = task.mask.swap(mask, Ordering::SeqCst);
    if mask & !old != 0 && task.signalled.load(Ordering::SeqCst) {
        shared::pass_on(task, mask & !old);
    }
    let opened = old & !mask;
    if opened == 0 {
        return;
    }
    let skip = opened & !brief == 0 && shared::left() & opened == 0;
    let of_process = if skip { 0 } else { shared::pending() };
    if (lock(&task.signals).pending | of_process) & opened != 0 {
        task.signalled.store(true, Ordering::Release);
    }
}

/// Takes a pending signal of `set` for a task.
pub(crate) fn take(task: &'static Task, set: u64) -> Option<Info> {
    let mut own = lock(&task.signals).take(set);
    if let Some(info) = own.as_mut().filter(|i| i.code == libc::SI_TIMER) {
        crate::syscalls::timer::taken(info);
    }
    own.or_else(|| shared::take(set))
}

/// Whether a signal has come for the process and is still to be handled, by a task that is about to change what is done about it: natively it
/// would have been by now. The task is told.
pub(crate) fn comes_first(task: &'static Task, signal: i32) -> bool {
    let first = action(signal).disposition(signal) == Disposition::Handle
        && task.mask.load(Ordering::Relaxed) & bit(signal) == 0
        && is_pending(signal);
    if first {
        task.signalled.store(true, Ordering::Release);
    }
    first
}

/// The signals pending for a task alone.
pub(crate) fn pending_for(task: &'static Task) -> u64 {
    lock(&task.signals).pending
}

/// The signals pending for a task or its process.
pub(crate) fn pending(task: &'static Task) -> u64 {
    lock(&task.signals).pending | shared::pending()
}

/// A task ends: what it was told of, and has not taken, is offered to others.
pub(crate) fn leave(task: &'static Task) {
    let mask = task.mask.swap(!0, Ordering::SeqCst);
    if task.signalled.load(Ordering::SeqCst) {
        shared::pass_on(task, !mask);
    }
}

/// Registers a task that waits for signals by `sigtimedwait`.
#[derive(Debug)]
pub(crate) struct Sigwait(&'static Task);

impl Sigwait {
    pub(crate) fn new(task: &'static Task, set: u64) -> Self {
        lock(&task.signals).waits_for = set;
        lock(&SIGWAITERS).push(task);
        Self(task)
    }
}

impl Drop for Sigwait {
    fn drop(&mut self) {
        lock(&SIGWAITERS).retain(|t| !std::ptr::eq(*t, self.0));
        lock(&self.0.signals).waits_for = 0;
    }
}

/// How a task goes on after its signals were looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Next {
    /// From its registers: where it was, or a handler.
    Go,
    /// With the call that a signal interrupted for nothing: once more.
    Again,
}

/// Gives a task, which is off the CPU, the signals that it may take now.
pub(crate) fn deliver(task: &'static Task) -> Next {
    task.signalled.store(false, Ordering::Release);
    let mut interrupted = task.interrupted.take();
    let mut handled = false;
    let before = task.mask.load(Ordering::Relaxed);
    let mut taken = 0u64;
    loop {
        let set = !task.mask.load(Ordering::Relaxed);
        let Some(info) = take(task, set) else { break };
        taken |= bit(info.signal);
        let action = action(info.signal);
        match action.disposition(info.signal) {
            Disposition::Ignore => {}
            Disposition::Kill => die(info.signal),
            Disposition::Stop => stop(info.signal),
            Disposition::Handle => {
                if action.flags & libc::SA_RESTART as u64 == 0 {
                    frame::end_call(task);
                }
                let restart = interrupted.take().filter(|i| {
                    i.always || i.restart && action.flags & libc::SA_RESTART as u64 != 0
                });
                if frame::push(task, &info, &action, restart.map(|i| i.number)).is_err() {
                    fault::no_stack(task, &info);
                    continue;
                }
                handled = true;
            }
        }
    }
    let now = task.mask.load(Ordering::Relaxed);
    if taken == 0 {
        // Told of a signal that it blocks by now: others may not.
        shared::pass_on(task, now);
    } else if now & !before != 0 {
        // There may be more of what a handler blocks.
        shared::pass_on(task, now & !before);
    }
    if !handled {
        if let Some(mask) = task.restore_mask.take() {
            set_mask(task, mask);
        }
        if let Some(call) = interrupted {
            task.context().regs.rax = call.number;
            return Next::Again;
        }
    }
    Next::Go
}

/// Ends the process as abort(3) does.
pub(crate) fn abort() -> ! {
    die(libc::SIGABRT)
}

/// Lets the kernel do what a signal does by default, on the calling thread: kill, with the right status and core.
pub(crate) fn die(signal: i32) -> ! {
    // What the program's lists lead to may not be there: such a fault has to be seen, on the receiver's thread, too.
    block_in_hub();
    crate::syscalls::robust::process_ends();
    let _ = Action::default().install(signal);
    loop {
        raise_here(signal);
    }
}

/// Stops the process as a signal does by default.
fn stop(signal: i32) {
    raise_here(signal);
    block_in_hub();
}

/// Sends a signal to the calling OS thread, unblocked.
fn raise_here(signal: i32) {
    // SAFETY: plain calls; the mask is restored by the caller where it goes on.
    unsafe {
        let _ = sys!(SYS_tgkill, sys::process_id(), sys::thread_id(), signal);
        let _ = sys!(SYS_rt_sigprocmask, libc::SIG_UNBLOCK, &bit(signal), 0, 8);
    }
}

/// The hub's thread got a signal for what it did for a task (SIGPIPE of a write): passes it on to the task.
pub(crate) fn forward(task: &'static Task, signal: i32) {
    let set = bit(signal);
    let none = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut info = Info::from_user(signal, libc::SI_USER);
    // SAFETY: takes the signal that is pending for this thread, if any.
    let _ = unsafe { sys!(SYS_rt_sigtimedwait, &set, &mut info, &none, 8) };
    let _ = post_to(task, task.id(), info);
}

/// A call was made for a task on this thread, which blocks signals: passes on what the kernel sent to the caller for it (SIGPIPE for a
/// pipe without readers; SIGXFSZ beyond RLIMIT_FSIZE, which is not the only reason for `EFBIG`).
pub(crate) fn forward_caused(task: &'static Task, result: Result<usize, Errno>) {
    if !matches!(result, Err(Errno::PIPE | Errno(libc::EFBIG))) {
        return;
    }
    let set = bit(libc::SIGPIPE) | bit(libc::SIGXFSZ);
    let none = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let mut info = Info::from_user(0, libc::SI_USER);
    // SAFETY: takes the signal that is pending for this thread, if any.
    if unsafe { sys!(SYS_rt_sigtimedwait, &set, &mut info, &none, 8) }.is_ok() {
        let _ = post_to(task, task.id(), info);
    }
}

/// For the handler of [`KICK`]: whether the library sent it.
///
/// # Safety
/// `info` is the kernel's.
pub unsafe fn is_kick(info: *const libc::siginfo_t) -> bool {
    // SAFETY: the caller's promise; `Info` is the kernel's siginfo.
    unsafe { (*info.cast::<Info>()).is_kick() }
}

/// Sends [`KICK`] to a thread of this process.
pub(crate) fn kick_thread(tid: i32) {
    // SAFETY: sends a signal to a thread of this process.
    let _ = unsafe { sys!(SYS_tgkill, sys::process_id(), tid, KICK) };
}

/// A signal that the program handles has struck a task in its window, which has its mask for the sake of the new program. It is kept for when
/// the window is over: the handler is to run as a task, whose locks and wakes are the runtime's. Natively it would have run by now, so a call that is
/// not made yet is made after it. Runs in the signal handler.
///
/// # Safety
/// The kernel's arguments of a signal handler, which has the task's frame: it was at [`crate::context::Crossing::window`], or (`is_made`) behind that and
/// not yet where signals are blocked. The context is the task's.
pub unsafe fn struck_in_window(
    task: *mut Context,
    info: *const libc::siginfo_t,
    context: *mut libc::c_void,
    is_made: bool,
) {
    // SAFETY: the caller's promise. No other signal comes: the handler blocks all, and so does from here on what it returns to.
    unsafe {
        let uc = &mut *context.cast::<KernelContext>();
        uc.mask = !UNBLOCKED;
        *(*task).window_signal = *info;
        if !is_made {
            uc.machine.rax = sys::encode(Err(Errno::RESTART_NOINTR));
            // Behind the instruction.
            uc.machine.rip += 2;
        }
    }
}

/// A signal that came for a task in its window, now that this is over. On a thread that is inside the runtime.
pub(crate) fn after_window(task: &'static Task, mut info: Info) {
    shared::note_taken(&mut info);
    shared::hold(info);
    // It was this task that it came to.
    task.signalled.store(true, Ordering::Release);
}

/// A signal in a vfork child, which is native, but has its parent's actions: what the program wants done. Runs in the signal handler.
///
/// # Safety
/// The kernel's arguments of a signal handler, which has struck code of the program's.
pub unsafe fn handle_natively(info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the caller's promise. Threads of the parent's may have the actions' lock, and give it back.
    unsafe { act_natively(&action((*info).si_signo), info, context) }
}

/// The same for SIGSYS, as a filter has trapped a call.
///
/// # Safety
/// The kernel's arguments of a signal handler.
pub unsafe fn trapped_in_window(info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // The lock may be held by this very thread when the runtime itself was struck; then it is not the program's signal.
    if let Some(action) = try_action(libc::SIGSYS) {
        // SAFETY: the caller's promise.
        unsafe { act_natively(&action, info, context) }
    }
}

unsafe fn act_natively(action: &Action, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the callers' promise; the program's handler is called as it would have been.
    unsafe {
        let signal = (*info).si_signo;
        match action.disposition(signal) {
            Disposition::Handle => {
                let is_open = action.flags & libc::SA_NODEFER as u64 != 0;
                let own = if is_open { 0 } else { bit(signal) };
                if action.flags & libc::SA_RESETHAND as u32 as u64 != 0 {
                    let _ = Action::default().install(signal);
                }
                let before = (*context.cast::<KernelContext>()).mask;
                set_kernel_mask(before | action.mask | own);
                let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) =
                    std::mem::transmute(action.handler);
                handler(signal, info, context);
            }
            Disposition::Ignore => {}
            _ => die(signal),
        }
    }
}

/// In a forked child: nothing is pending, nobody waits.
pub(crate) fn reset() {
    shared::reset();
    receiver::reset();
    lock(&SIGWAITERS).clear();
}
