//! Signals: what the kernel does for threads, done for tasks.
//!
//! All threads of the runtime block every signal but the synchronous ones, so process-directed signals stay pending until the
//! [`receiver`] (the process's first OS thread) takes them out and hands them to [`post`]. From there on it is as in the kernel:
//! a pending set a task and one for the process, a mask a task; a signal wakes a task that may take it; the task takes it at its
//! next crossing, which runs the handler on the task's own stack in a frame ([`frame`]) that looks like the kernel's.
//!
//! The program's `rt_sigaction`s also reach the kernel, but for those of faults ([`fault`]). It acts on them for children (`SIG_IGN` and `SA_NOCLDWAIT` of SIGCHLD), at `exec`, and in forked children, which are
//! native again.

pub mod fault;
pub(crate) mod frame;
pub(crate) mod preempt;
pub mod receiver;

pub use frame::{localize as localize_frame, Ucontext as KernelContext};

/// For the handler of [`KICK`]: whether the task whose code it struck is to cross, preempted.
///
/// # Safety
/// As [`preempt::strike`].
pub unsafe fn preempt_strike(context: *mut crate::context::Context, frame: *const u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe { preempt::strike(context, frame, preempt::PREEMPTED) }
}

use crate::hub;
use crate::sys;
use crate::sys::Errno;
use crate::task::{self, lock, Task};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Mutex;

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
/// What the runtime's threads leave unblocked.
pub const UNBLOCKED: u64 = SYNCHRONOUS | bit(KICK);
/// What cannot be blocked.
const UNBLOCKABLE: u64 = bit(libc::SIGKILL) | bit(libc::SIGSTOP);

/// What a libc function that blocks all signals leaves unblocked: what cannot be blocked, and libc's own two (cancellation, setxid).
pub(crate) const NEVER_BLOCKED: u64 = UNBLOCKABLE | bit(32) | bit(33);
const IGNORED_BY_DEFAULT: u64 =
    bit(libc::SIGCHLD) | bit(libc::SIGURG) | bit(libc::SIGWINCH) | bit(libc::SIGCONT);
const STOPS_BY_DEFAULT: u64 =
    bit(libc::SIGSTOP) | bit(libc::SIGTSTP) | bit(libc::SIGTTIN) | bit(libc::SIGTTOU);

/// The kernel's `struct sigaction`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct Action {
    pub handler: usize,
    pub flags: u64,
    pub restorer: usize,
    pub mask: u64,
}

/// What a signal does, going by its action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Disposition {
    Ignore,
    Kill,
    Stop,
    Handle,
}

impl Action {
    fn disposition(&self, signal: i32) -> Disposition {
        match self.handler {
            libc::SIG_IGN => Disposition::Ignore,
            libc::SIG_DFL if IGNORED_BY_DEFAULT & bit(signal) != 0 => Disposition::Ignore,
            libc::SIG_DFL if STOPS_BY_DEFAULT & bit(signal) != 0 => Disposition::Stop,
            libc::SIG_DFL => Disposition::Kill,
            _ => Disposition::Handle,
        }
    }
}

static ACTIONS: Mutex<[Action; 65]> = Mutex::new(
    [Action {
        handler: 0,
        flags: 0,
        restorer: 0,
        mask: 0,
    }; 65],
);

/// Signals pending for a task or for the process, with their data. All zero: none.
#[derive(Debug, Default)]
pub(crate) struct TaskSignals {
    pending: u64,
    /// In order of arrival; at most one of each standard signal. Boxed, as all zero must be `None` and a task be small.
    #[allow(clippy::box_collection)]
    queue: Option<Box<VecDeque<Info>>>,
    /// What the task waits for in `sigtimedwait`.
    pub(crate) waits_for: u64,
}

/// The kernel's `siginfo_t`, 128 bytes.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub(crate) struct Info {
    pub signal: i32,
    pub errno: i32,
    pub code: i32,
    rest: [u32; 29],
}

impl Info {
    /// As kill(2) and tgkill(2) make it: who sent it.
    pub(crate) fn from_user(signal: i32, code: i32) -> Self {
        let mut rest = [0; 29];
        // SAFETY: these take no arguments.
        let (pid, uid) = unsafe { (sys!(SYS_getpid), sys!(SYS_getuid)) };
        #[allow(clippy::cast_possible_truncation)]
        {
            rest[1] = pid.unwrap_or(0) as u32;
            rest[2] = uid.unwrap_or(0) as u32;
        }
        Self {
            signal,
            errno: 0,
            code,
            rest,
        }
    }
}

impl Info {
    /// As the kernel makes it, with nothing but a code.
    pub(crate) fn of_kernel(signal: i32, code: i32) -> Self {
        Self {
            signal,
            errno: 0,
            code,
            rest: [0; 29],
        }
    }
}

impl TaskSignals {
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn push(&mut self, info: Info) {
        // Standard signals do not queue: one pending is enough. Real-time signals do.
        if info.signal < 32 && self.pending & bit(info.signal) != 0 {
            return;
        }
        self.pending |= bit(info.signal);
        self.queue.get_or_insert_with(Box::default).push_back(info);
    }

    /// Makes a fault the next signal that is taken, whatever of its number was pending.
    fn put_first(&mut self, info: Info) {
        let queue = self.queue.get_or_insert_with(Box::default);
        queue.retain(|i| i.signal != info.signal);
        queue.push_front(info);
        self.pending |= bit(info.signal);
    }

    /// Takes the first signal of `set`: synchronous ones first, then the lowest number, then the oldest.
    fn take(&mut self, set: u64) -> Option<Info> {
        let wanted = self.pending & set;
        if wanted == 0 {
            return None;
        }
        let urgent = wanted & SYNCHRONOUS;
        let signal = if urgent != 0 { urgent } else { wanted }.trailing_zeros() as i32 + 1;
        let queue = self.queue.as_mut()?;
        let at = queue.iter().position(|i| i.signal == signal)?;
        let info = queue.remove(at);
        if !queue.iter().any(|i| i.signal == signal) {
            self.pending &= !bit(signal);
        }
        info
    }
}

/// Signals pending for the process.
static SHARED: Mutex<TaskSignals> = Mutex::new(TaskSignals {
    pending: 0,
    queue: None,
    waits_for: 0,
});
/// A copy of its pending set, to look at without the lock.
static SHARED_PENDING: AtomicU64 = AtomicU64::new(0);
/// Tasks in `sigtimedwait`.
static SIGWAITERS: Mutex<Vec<&'static Task>> = Mutex::new(Vec::new());

fn with_shared<T>(f: impl FnOnce(&mut TaskSignals) -> T) -> T {
    let mut shared = lock(&SHARED);
    let result = f(&mut shared);
    SHARED_PENDING.store(shared.pending, Ordering::Release);
    result
}

/// What an interrupted call was: set by [`interrupted`], used up by [`deliver`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupted {
    number: u64,
    restart: bool,
}

/// Reads the program's actions from the kernel. At conversion.
pub fn read_actions() {
    let mut actions = lock(&ACTIONS);
    for signal in 1..=64 {
        // SAFETY: writes one action.
        let _ = unsafe {
            sys!(
                SYS_rt_sigaction,
                signal,
                0,
                &mut actions[signal as usize],
                8
            )
        };
    }
}

pub(crate) fn action(signal: i32) -> Action {
    lock(&ACTIONS)[signal as usize]
}

/// Changes an action, in the kernel too, and gives the old one.
pub(crate) fn set_action(signal: i32, new: Option<Action>) -> Result<Action, Errno> {
    let mut actions = lock(&ACTIONS);
    let old = actions[signal as usize];
    if let Some(new) = new {
        let mut for_kernel = new;
        if signal == libc::SIGCHLD {
            // Waits for stopped children need to hear of them; the program does not.
            for_kernel.flags &= !(libc::SA_NOCLDSTOP as u64);
        }
        if !fault::is_ours(signal, &new) {
            // SAFETY: reads one action.
            unsafe { sys!(SYS_rt_sigaction, signal, &for_kernel, 0, 8) }?;
        }
        actions[signal as usize] = new;
        if new.disposition(signal) == Disposition::Ignore {
            // sigaction(2): setting a pending signal to be ignored discards it.
            drop(actions);
            with_shared(|s| while s.take(bit(signal)).is_some() {});
        }
    }
    Ok(old)
}

/// In a forked child, which is native: the kernel gets the program's actions where ours differ.
pub(crate) fn restore_kernel_actions() {
    for signal in [&fault::HANDLED[..], &[libc::SIGCHLD, libc::SIGSYS, KICK]].concat() {
        // SAFETY: reads one action.
        let _ = unsafe { sys!(SYS_rt_sigaction, signal, &action(signal), 0, 8) };
    }
}

/// The kernel mask of every thread of the runtime.
pub(crate) fn block_in_hub() {
    set_kernel_mask(!UNBLOCKED);
}

/// Sets the calling OS thread's mask.
pub(crate) fn set_kernel_mask(mask: u64) {
    // SAFETY: reads eight bytes.
    let _ = unsafe { sys!(SYS_rt_sigprocmask, libc::SIG_SETMASK, &mask, 0, 8) };
}

/// A signal for the process: the receiver took it, or the program sent it to itself.
pub(crate) fn post(info: Info) {
    let signal = info.signal;
    if signal == crate::config::get().dump_signal {
        return crate::dump::write();
    }
    if signal == libc::SIGCHLD {
        hub::child_changed();
        let flags = action(signal).flags;
        // CLD_STOPPED, CLD_TRAPPED and CLD_CONTINUED are 5, 4 and 6.
        if flags & libc::SA_NOCLDSTOP as u64 != 0 && (4..=6).contains(&info.code) {
            return;
        }
    }
    let disposition = action(signal).disposition(signal);
    let waited_for = lock(&SIGWAITERS)
        .iter()
        .any(|t| lock(&t.signals).waits_for & bit(signal) != 0);
    let taker = taker(signal);
    if !waited_for {
        let blocked_by_main =
            task::main().is_some_and(|m| m.mask.load(Ordering::Relaxed) & bit(signal) != 0);
        match disposition {
            Disposition::Ignore if !blocked_by_main => return,
            Disposition::Kill if taker.is_some() => die(signal),
            Disposition::Stop if taker.is_some() => return stop(signal),
            _ => {}
        }
    }
    with_shared(|s| s.push(info));
    kick(signal);
}

/// Wakes a task that may take a signal pending for the process.
fn kick(signal: i32) {
    let waiters = lock(&SIGWAITERS);
    if let Some(waiter) = waiters
        .iter()
        .find(|t| lock(&t.signals).waits_for & bit(signal) != 0)
    {
        return notify(waiter);
    }
    drop(waiters);
    if let Some(task) = taker(signal) {
        notify(task);
    }
}

/// A task that does not block a signal: the main task if it may, as in the kernel, or any other.
fn taker(signal: i32) -> Option<&'static Task> {
    let takes = |t: &&'static Task| t.mask.load(Ordering::Relaxed) & bit(signal) == 0;
    task::main()
        .filter(takes)
        .or_else(|| task::all().find(|t| takes(t)))
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
    hub::relief::signalled(task);
}

/// A signal for one task. `ESRCH` if it has ended.
pub(crate) fn post_to(task: &'static Task, id: i32, info: Info) -> Result<(), Errno> {
    let mut signals = lock(&task.signals);
    if !task.live.load(Ordering::Acquire) || task.id() != id {
        return Err(Errno::SRCH);
    }
    let blocked = (task.mask.load(Ordering::Relaxed) | signals.waits_for) & bit(info.signal) != 0;
    if !blocked && action(info.signal).disposition(info.signal) == Disposition::Ignore {
        return Ok(());
    }
    signals.push(info);
    task.signalled.store(true, Ordering::Release);
    task.wake();
    drop(signals);
    hub::relief::signalled(task);
    Ok(())
}

/// What a task has pending that it does not block: its own and the process's.
fn deliverable(task: &Task) -> u64 {
    let own = lock(&task.signals).pending;
    (own | SHARED_PENDING.load(Ordering::Acquire)) & !task.mask.load(Ordering::Relaxed)
}

/// Whether a signal should end a task's wait: one that has a handler, or that kills or stops.
#[inline]
pub(crate) fn interrupts(task: &'static Task) -> bool {
    task.signalled.load(Ordering::Acquire) && {
        let signals = deliverable(task);
        (1..=64).any(|s| signals & bit(s) != 0 && action(s).disposition(s) != Disposition::Ignore)
    }
}

/// What a call that a signal interrupted leaves in `rax` for now; [`deliver`] runs before the task goes on.
pub(crate) fn interrupted(task: &'static Task, code: Errno) -> u64 {
    let number = u64::try_from(task.call_number.get()).unwrap_or(0);
    task.interrupted.set(Some(Interrupted {
        number,
        restart: code == Errno::RESTART_SYS,
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
    task.signalled.store(true, Ordering::Release);
}

/// The call is over, and no handler is to see the mask that it had: the old one comes back.
pub(crate) fn mask_after_call(task: &'static Task) {
    if let Some(mask) = task.restore_mask.take() {
        set_mask(task, mask);
    }
}

/// Sets a task's mask; what it newly blocks and the process has pending is offered to another task.
pub(crate) fn set_mask(task: &'static Task, mask: u64) {
    let old = task.mask.swap(mask & !UNBLOCKABLE, Ordering::AcqRel);
    let pending = SHARED_PENDING.load(Ordering::Acquire);
    let own = lock(&task.signals).pending;
    if (own | pending) & !mask != 0 {
        task.signalled.store(true, Ordering::Release);
    }
    let lost = pending & mask & !old;
    if lost == 0 {
        return;
    }
    for signal in (1..=64).filter(|s| lost & bit(*s) != 0) {
        kick(signal);
    }
}

/// Takes a pending signal of `set` for a task.
pub(crate) fn take(task: &'static Task, set: u64) -> Option<Info> {
    let own = lock(&task.signals).take(set);
    own.or_else(|| {
        (SHARED_PENDING.load(Ordering::Acquire) & set != 0)
            .then(|| with_shared(|s| s.take(set)))
            .flatten()
    })
}

/// The signals pending for a task or its process.
pub(crate) fn pending(task: &'static Task) -> u64 {
    lock(&task.signals).pending | SHARED_PENDING.load(Ordering::Acquire)
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
    loop {
        let set = !task.mask.load(Ordering::Relaxed);
        let Some(info) = take(task, set) else { break };
        let action = action(info.signal);
        match action.disposition(info.signal) {
            Disposition::Ignore => {}
            Disposition::Kill => die(info.signal),
            Disposition::Stop => stop(info.signal),
            Disposition::Handle => {
                let restart = interrupted
                    .take()
                    .filter(|i| i.restart && action.flags & libc::SA_RESTART as u64 != 0);
                if frame::push(task, &info, &action, restart.map(|i| i.number)).is_err() {
                    fault::no_stack(task, &info);
                    continue;
                }
                handled = true;
            }
        }
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
fn die(signal: i32) -> ! {
    crate::syscalls::thread::abandon_shared_locks();
    let default = Action::default();
    // SAFETY: one action.
    let _ = unsafe { sys!(SYS_rt_sigaction, signal, &default, 0, 8) };
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
        let pid = sys!(SYS_getpid).unwrap_or(0);
        let tid = sys!(SYS_gettid).unwrap_or(0);
        let _ = sys!(SYS_tgkill, pid, tid, signal);
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

/// Sends [`KICK`] to a thread of this process.
pub(crate) fn kick_thread(tid: i32) {
    // SAFETY: plain calls.
    unsafe {
        let pid = sys!(SYS_getpid).unwrap_or(0);
        let _ = sys!(SYS_tgkill, pid, tid, KICK);
    }
}

/// A SIGSYS that is not the library's, on the thread that it is for: as the program's action says. Runs in the signal handler.
///
/// # Safety
/// The kernel's arguments of a signal handler.
pub unsafe fn foreign_sigsys(info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // The lock may be held by this very thread when the runtime itself was struck; then it is not the program's signal.
    let Ok(actions) = ACTIONS.try_lock() else {
        return;
    };
    let action = actions[libc::SIGSYS as usize];
    drop(actions);
    match action.disposition(libc::SIGSYS) {
        // SAFETY: the program's handler, called as it would have been.
        Disposition::Handle => unsafe {
            let handler: extern "C" fn(i32, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(action.handler);
            handler(libc::SIGSYS, info, context);
        },
        Disposition::Ignore => {}
        _ => die(libc::SIGSYS),
    }
}

/// In a forked child: nothing is pending, nobody waits.
pub(crate) fn reset() {
    with_shared(TaskSignals::clear);
    lock(&SIGWAITERS).clear();
}
