//! The trap door, and the library's signal handlers.
//!
//! Syscall User Dispatch (Linux 5.11) makes the kernel send SIGSYS for a system call made while a byte of the thread says so, unless
//! the instruction lies in this library. The handler does not answer the call: it changes the interrupted context so that, when it
//! returns, the program goes on in the crossing as if its site had been rewritten. So both doors lead to the same place, and no
//! frame of the trap is left while a task waits. The kernel's frame keeps all registers, so this door is always "full".
//!
//! [`signal::KICK`] preempts a hub's task and interrupts a pool thread's call. Faults are told apart by where they struck: see
//! [`signal::fault`].

use crate::{crossing, rewrite};
use coop_runtime::context::{Context, Gate};
use coop_runtime::signal;
use coop_runtime::sys;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const PR_SET_SYSCALL_USER_DISPATCH: i32 = 59;
const PR_SYS_DISPATCH_ON: i32 = 1;
const PR_SYS_DISPATCH_OFF: i32 = 0;
const SYS_SECCOMP: i32 = 1;
const SYS_USER_DISPATCH: i32 = 2;
const SA_RESTORER: u64 = 0x0400_0000;

static ARMED: AtomicBool = AtomicBool::new(false);
static TEXT_START: AtomicUsize = AtomicUsize::new(0);
static TEXT_END: AtomicUsize = AtomicUsize::new(0);

/// Whether the kernel has the trap.
pub fn available() -> bool {
    let selector = 0u8;
    // SAFETY: on and off again, for the calling thread, with a selector that lets everything pass.
    unsafe {
        let on = sys!(
            SYS_prctl,
            PR_SET_SYSCALL_USER_DISPATCH,
            PR_SYS_DISPATCH_ON,
            0,
            0,
            &selector
        )
        .is_ok();
        let _ = sys!(
            SYS_prctl,
            PR_SET_SYSCALL_USER_DISPATCH,
            PR_SYS_DISPATCH_OFF,
            0,
            0,
            0
        );
        on
    }
}

/// The library's own code, which is never trapped and never preempted.
pub fn set_own_text(text: Range<usize>) {
    TEXT_START.store(text.start, Ordering::Relaxed);
    TEXT_END.store(text.end, Ordering::Relaxed);
}

/// Whether an address is in the library's own code.
pub fn in_library(address: usize) -> bool {
    (TEXT_START.load(Ordering::Relaxed)..TEXT_END.load(Ordering::Relaxed)).contains(&address)
}

static LATER: AtomicBool = AtomicBool::new(false);

/// Remembers whether the trap can be armed when an object that needs it is mapped later.
pub fn allow_later(yes: bool) {
    LATER.store(yes, Ordering::Relaxed);
}

/// What [`allow_later`] was told.
pub fn available_later() -> bool {
    LATER.load(Ordering::Relaxed)
}

/// Says that hubs are to arm the trap, or not.
pub fn arm(yes: bool) {
    ARMED.store(yes, Ordering::Relaxed);
}

/// Whether the trap is armed on hubs.
pub fn armed() -> bool {
    ARMED.load(Ordering::Relaxed)
}

/// Gives a hub's thread its signal stack, and arms the trap on it. Called on that thread.
pub fn enter_hub(gate: &Gate) {
    const SIGNAL_STACK: usize = 128 << 10;
    gate.fs.set(crossing::fs_base());
    crate::convert::unregister_rseq();
    // SAFETY: a fresh mapping becomes the thread's signal stack; the gate outlives the thread.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        if let Ok(base) = sys!(
            SYS_mmap,
            0,
            SIGNAL_STACK,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1i32,
            0
        ) {
            let stack = libc::stack_t {
                ss_sp: base as *mut libc::c_void,
                ss_flags: 0,
                ss_size: SIGNAL_STACK,
            };
            let _ = sys!(SYS_sigaltstack, &stack, 0);
        }
    }
    if armed() {
        arm_hub(gate);
    }
}

/// Arms the trap on a hub's thread. Called on that thread.
pub fn arm_hub(gate: &Gate) {
    let (start, end) = (
        TEXT_START.load(Ordering::Relaxed),
        TEXT_END.load(Ordering::Relaxed),
    );
    let selector = gate.in_program.as_ptr();
    // SAFETY: the gate outlives the thread.
    let _ = unsafe {
        sys!(
            SYS_prctl,
            PR_SET_SYSCALL_USER_DISPATCH,
            PR_SYS_DISPATCH_ON,
            start,
            end - start,
            selector
        )
    };
}

/// Installs the handlers. Only at conversion: a dormant library handles no signal.
pub fn install_handlers() {
    let flags = libc::SA_SIGINFO as u64 | libc::SA_ONSTACK as u64 | SA_RESTORER;
    // Each is blocked in its own handler, and kicks in all: else signals that come faster than handlers run would pile up on the signal stack.
    let mask = 1u64 << (signal::KICK - 1);
    let restorer = crossing::coop_restorer as *const () as u64;
    let faults = signal::fault::HANDLED.map(|s| (s, on_fault as *const ()));
    let others = [
        (libc::SIGSYS, on_sigsys as *const ()),
        (signal::KICK, on_kick as *const ()),
    ];
    for (signal, handler) in faults.into_iter().chain(others) {
        // A kick is no signal of the program's: calls that it finds go on.
        let restart = if signal == signal::KICK {
            libc::SA_RESTART as u64
        } else {
            0
        };
        let flags = flags | restart;
        // The kernel's struct sigaction: handler, flags, restorer, mask.
        let action: [u64; 4] = [handler as u64, flags, restorer, mask];
        // SAFETY: the action is whole. libc's wrapper would put a restorer outside this library, which the trap would trap.
        let _ = unsafe { sys!(SYS_rt_sigaction, signal, &action, 0, 8) };
    }
}

/// Runs on the signal stack with the FS base of whatever it interrupted, as do the others: no thread-locals, no libc.
extern "C" fn on_sigsys(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gave both.
    unsafe {
        let task = crossing::current();
        let machine = &mut (*context.cast::<signal::KernelContext>()).machine;
        if (*info).si_code == SYS_SECCOMP && in_library(machine.rip as usize) {
            if signal::fault::trap(task, context.cast::<u8>().sub(8)) {
                abandon(task);
            }
            return;
        }
        if (*info).si_code == SYS_SECCOMP && task.is_null() {
            return signal::trapped_in_window(info, context);
        }
        if (*info).si_code != SYS_USER_DISPATCH || task.is_null() {
            return on_fault(signal, info, context);
        }
        // The call's number is back in rax, its address after the instruction in rip.
        machine.rcx = task as u64;
        machine.r11 = machine.rip;
        machine.rip = crossing::coop_entry_full as *const () as u64;
    }
}

/// Leaves a handler for the hub, whose frame is given up.
///
/// # Safety
/// As for `coop_abandon`: the handler struck the code of this task.
unsafe fn abandon(task: *mut Context) -> ! {
    // As the kernel would on return from the handler. A signal that comes in between finds the library's code, and goes.
    signal::block_in_hub();
    // SAFETY: the caller's promise; a context's gate is set while it runs.
    unsafe { crossing::coop_abandon((*task).gate) }
}

extern "C" fn on_kick(_signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel gave both. Its frame begins with the return address, one word below its ucontext.
    unsafe {
        if !signal::is_kick(info) {
            return signal::fault::sent(signal::KICK, info);
        }
        signal::end_interruptible(context);
        // What was sent for an order may have been sent for a signal of the task's, too: of two kicks that are pending one is left.
        coop_runtime::everywhere::answer();
        let task = crossing::current();
        if task.is_null() {
            return;
        }
        crossing::come_back(task, &mut *context.cast(), |at| {
            rewrite::original(at).is_some()
        });
        if signal::preempt_strike(task, context.cast::<u8>().sub(8)) {
            abandon(task);
        }
    }
}

/// A signal for which the program has a handler, on a thread that does not block it: a task's in its window, or a vfork child's, which is native.
pub extern "C" fn on_signal(_signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let window = crossing::coop_window as *const () as usize
        ..crossing::coop_window_blocked as *const () as usize;
    // SAFETY: the kernel gave both. In the window the thread pointer is the task's.
    unsafe {
        let at = (*context.cast::<signal::KernelContext>()).machine.rip as usize;
        if window.contains(&at) {
            let is_made = at != window.start;
            signal::struck_in_window(crossing::windowed(), info, context, is_made);
        } else {
            signal::handle_natively(info, context);
        }
    }
}

extern "C" fn on_fault(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: as in `on_kick`.
    unsafe {
        let machine = &mut (*context.cast::<signal::KernelContext>()).machine;
        // What is positive the kernel says; what is sent has codes of 0 and below.
        if (*info).si_code <= 0 {
            return signal::fault::sent(signal, info);
        }
        if let Some(on) = coop_runtime::user::fixup(machine.rip as usize) {
            machine.rip = on as u64;
            return;
        }
        let task = crossing::current();
        if !task.is_null() && signal::fault::strike(task, context.cast::<u8>().sub(8)) {
            abandon(task);
        }
        signal::fault::of_the_runtime(info, context);
    }
}
