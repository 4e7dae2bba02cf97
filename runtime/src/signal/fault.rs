//! Faults: what the kernel calls synchronous signals (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS).
//!
//! The kernel's handler of them is always the library's, which runs on the hub's own signal stack and asks whose fault it is:
//!
//! | struck | what it is | what happens |
//! |---|---|---|
//! | an access to the program's memory ([`crate::user`]) | a bad address in a system call | the access gives `EFAULT` |
//! | a call of the task's, by a seccomp filter's trap | the program's fault | made in the crossing: as below; by the runtime: its result says so, and the task has SIGSYS instead of one ([`trapped`]) |
//! | program code | the program's fault | the task crosses with the kernel's frame ([`FAULTED`]), as when it is preempted |
//! | anything else | a fault of the runtime's own | the process ends by it |
//! | sent by kill(2) and the like | no fault at all | on to the receiver, as a signal for the process |
//!
//! A task that crossed with a fault gets it as a signal of its own ([`faulted`]): its handler runs on its own stack or its alternate
//! stack, with its mask, by the same frames as for every other signal. So a handler may change the registers and return, or jump out,
//! and no trace of it stays in the kernel. Where there is no handler, or the signal is blocked, the kernel gets the fault back, with
//! the task's registers: status, core and report are what they would have been.

use super::frame::Frame;
use super::{bit, preempt, Action, Disposition, Info, SYNCHRONOUS};
use crate::context::Context;
use crate::hub::{self, Worker};
use crate::sys;
use crate::syscalls::Outcome;
use crate::task::{lock, Task};
use std::sync::atomic::{AtomicU64, Ordering};

/// The pseudo system call of a task that met a fault.
pub const FAULTED: usize = 0x434f_4f53;

/// The faults' signals. The library handles them in the kernel.
pub const HANDLED: [i32; 6] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGTRAP,
    libc::SIGSYS,
];

/// Whether the kernel's action of a signal is the library's, whatever the program's is.
pub(crate) fn is_ours(signal: i32) -> bool {
    HANDLED.contains(&signal) || signal == super::KICK
}

/// While it lives, the faults' signals that the program ignores are ignored in the kernel as well: a new program inherits that.
#[derive(Debug)]
pub(crate) struct Ignored([(i32, Option<Action>); HANDLED.len()]);

impl Ignored {
    pub(crate) fn for_exec() -> Self {
        Self(HANDLED.map(|signal| {
            let action = super::action(signal);
            let mut ours = Action::default();
            // SAFETY: reads one action and writes one.
            let set = action.handler == libc::SIG_IGN
                && unsafe { sys!(SYS_rt_sigaction, signal, &action, &mut ours, 8) }.is_ok();
            (signal, set.then_some(ours))
        }))
    }
}

impl Drop for Ignored {
    fn drop(&mut self) {
        for (signal, ours) in &self.0 {
            if let Some(ours) = ours {
                let _ = ours.install(*signal);
            }
        }
    }
}

/// For the handler of a fault: whether the task whose code it struck is to cross with it. `frame`: the kernel's.
///
/// # Safety
/// As [`preempt::strike`].
pub unsafe fn strike(context: *mut Context, frame: *const u8) -> bool {
    // SAFETY: the caller's promise.
    unsafe { preempt::strike(context, frame, FAULTED) }
}

/// A task crossed with a fault; its frame is in the thread's spare one.
pub(crate) fn faulted(task: &'static Task, worker: &Worker) -> Outcome {
    preempt::keep(task, worker);
    let Some(frame) = task.frame.get() else {
        return Outcome::Resume;
    };
    // SAFETY: a kept frame is whole.
    let info = unsafe { (*frame.as_ptr().cast::<Frame>()).info };
    force(task, info);
    Outcome::Resume
}

/// Gives a task a signal that it cannot put off: if it has no handler for it or blocks it, the process ends.
pub(crate) fn force(task: &'static Task, info: Info) {
    let signal = info.signal;
    let blocked = task.mask.load(Ordering::Relaxed) & bit(signal) != 0;
    if blocked || super::action(signal).disposition(signal) != Disposition::Handle {
        end(task, &info);
    }
    lock(&task.signals).put_first(info);
    task.signalled.store(true, Ordering::Release);
}

/// For the handler of SIGSYS: a filter has trapped a call made for a task. Whether the task is to cross with it, as with other faults; else the
/// call is the runtime's, and has its result. `frame`: the kernel's; `context`: null, if no task runs.
///
/// # Safety
/// As [`preempt::strike`], and the call is this library's.
pub unsafe fn trap(context: *mut Context, frame: *mut u8) -> bool {
    // SAFETY: the caller's promise; a context's gate is set while it runs.
    unsafe {
        let Frame { uc, info, .. } = &mut *frame.cast::<Frame>();
        if !context.is_null() && (*(*context).gate).in_program.load(Ordering::Relaxed) != 0 {
            // The crossing makes it with all of the program's registers but these.
            uc.machine.rip = (*context).regs.rip;
            info.tell_call(uc.machine.rip, info.rest[CALL_NUMBER]);
            if strike(context, frame) {
                return true;
            }
        }
        uc.machine.rax = sys::trapped_with(info.errno as u16);
    }
    false
}

/// A task's call was trapped while the runtime made it: the kernel would have forced SIGSYS on the task, whose handler finds the call in the
/// registers and leaves the result there (`force_sig_seccomp`, kernel/signal.c). Gives what is in `rax` until then.
pub(crate) fn trapped(task: &'static Task, data: u16) -> u64 {
    const SYS_SECCOMP: i32 = 1;
    let number = task.call_number.get() as u32;
    let mut info = Info::of_kernel(libc::SIGSYS, SYS_SECCOMP);
    info.errno = i32::from(data);
    info.tell_call(task.context().regs.rip, number);
    force(task, info);
    u64::from(number)
}

/// Where `si_syscall` is.
const CALL_NUMBER: usize = 3;

impl Info {
    /// Names a system call of the program's: `si_call_addr`, `si_syscall` and `si_arch`. `next`: the task's address behind the instruction.
    fn tell_call(&mut self, next: u64, number: u32) {
        const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
        let at = (hub::crossing().original)(next as usize).map_or(next, |at| at as u64);
        // Behind a word to align it.
        self.rest[1..5].copy_from_slice(&[at as u32, (at >> 32) as u32, number, AUDIT_ARCH_X86_64]);
    }
}

/// There is no room on the stack for a handler's frame: as the kernel says it, SIGSEGV, whose handler may have a stack of its own.
pub(crate) fn no_stack(task: &'static Task, tried: &Info) {
    const SI_KERNEL: i32 = 0x80;
    let info = Info::of_kernel(libc::SIGSEGV, SI_KERNEL);
    if tried.signal == libc::SIGSEGV {
        end(task, &info);
    }
    force(task, info);
}

/// Ends the process by a task's fault, with the task's registers where they are in a frame of the kernel's.
fn end(task: &'static Task, info: &Info) -> ! {
    crate::syscalls::robust::process_ends();
    end_by(info);
    if let Some(frame) = task.frame.take() {
        // SAFETY: the gate of a context that has run is its worker's first field, and workers are never freed.
        let worker = unsafe { &*task.context().gate.cast::<Worker>() };
        // On its way the kernel finds the signal, and what is in the core is what the task was at.
        preempt::resume(task, worker, frame);
    }
    super::die(info.signal)
}

/// Makes a signal pending for the calling thread, to end the process as soon as the thread does not block it.
fn end_by(info: &Info) {
    super::set_kernel_mask(!0);
    let _ = Action::default().install(info.signal);
    super::lend::send_here(info);
}

/// For the handler of a fault: one of the runtime's own. When the handler returns, the process ends by it.
///
/// # Safety
/// The kernel's arguments of a signal handler.
pub unsafe fn of_the_runtime(info: *const libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the caller's promise; `Info` is the kernel's siginfo.
    unsafe {
        end_by(&*info.cast::<Info>());
        (*context.cast::<super::KernelContext>()).mask &= !SYNCHRONOUS;
    }
}

/// A signal of these numbers or [`super::KICK`] that somebody sent to the process, and that a thread of the runtime got: on to the
/// receiver. Runs in the signal handler.
///
/// It goes as [`super::RELAY`], which the receiver always blocks. The kernel lets no thread tell another one that a signal came from
/// kill(2), so number and code go in `si_errno`, and [`as_sent`] puts them back. When the kernel has no room for it (`RLIMIT_SIGPENDING`), only
/// its number goes on, as it would with the kernel's own signals.
///
/// # Safety
/// `info` is the kernel's.
pub unsafe fn sent(signal: i32, info: *mut libc::siginfo_t) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut info = *info.cast::<Info>();
        info.errno = HANDED_ON << 16 | signal << 8 | info.code & 0xff;
        info.code = libc::SI_QUEUE;
        let pid = sys::process_id();
        let to = super::receiver::tid();
        if sys!(SYS_rt_tgsigqueueinfo, pid, to, super::RELAY, &info).is_err() {
            UNTOLD.fetch_or(bit(signal), Ordering::SeqCst);
            super::receiver::ring();
        }
    }
}

/// Signals that were to be handed on, and for whose story there was no room.
static UNTOLD: AtomicU64 = AtomicU64::new(0);

/// For the receiver: these are the process's like the others that were handed on.
pub(super) fn hold_untold() {
    let signals = UNTOLD.swap(0, Ordering::SeqCst);
    for signal in (1..=64).filter(|s| signals & bit(*s) != 0) {
        super::shared::hold(Info::of_kernel(signal, libc::SI_USER));
    }
}

/// What `si_errno` of a signal that was handed on begins with.
const HANDED_ON: i32 = 0x434f;

/// For the receiver: a signal as it was before it was handed on.
pub(crate) fn as_sent(mut info: Info) -> Info {
    if info.signal == super::RELAY && info.errno >> 16 == HANDED_ON {
        let [code, signal, ..] = info.errno.to_le_bytes();
        (info.signal, info.errno) = (i32::from(signal), 0);
        info.code = i32::from(i8::from_ne_bytes([code]));
    }
    info
}
