//! Preemption: taking the CPU from a task in the middle of program code.
//!
//! The receiver sends [`super::KICK`] to a hub's thread. Its handler, when it struck program code and nothing else, does not return: it
//! crosses into the hub as if the program had made the pseudo call [`PREEMPTED`] with the kernel's signal frame as its argument.
//! The frame holds the task's whole state (extended registers too). The hub copies it off the signal stack, and later goes on
//! by giving the copy to `rt_sigreturn`. Nothing is ever struck inside the runtime: `Gate::in_program` says who runs.

use super::frame::Frame;
use crate::context::Context;
use crate::hub;
use crate::syscalls::Outcome;
use crate::task::Task;
use std::alloc::Layout;
use std::mem::size_of;
use std::ptr::NonNull;

/// The pseudo system call of a preempted task; its first argument is the frame's address.
pub const PREEMPTED: usize = 0x434f_4f51;

/// How many bytes the floating-point state of a kernel frame takes.
///
/// # Safety
/// `state` is the state of a frame that the kernel wrote, or [`super::frame::push`].
pub(crate) unsafe fn state_size(state: *const u8) -> usize {
    if state.is_null() {
        return 0;
    }
    // SAFETY: the legacy area is always there, and its software bytes say what follows (`struct _fpx_sw_bytes`).
    unsafe {
        let magic = state.add(464).cast::<u32>().read_unaligned();
        if magic == 0x4650_5853 {
            state.add(468).cast::<u32>().read_unaligned() as usize
        } else {
            512
        }
    }
}

fn layout(state: usize) -> Layout {
    Layout::from_size_align(64 + state_offset() + state, 64).expect("a frame's layout")
}

/// Where the state is in a copy: after the frame, at 64 bytes.
const fn state_offset() -> usize {
    (8 + size_of::<Frame>()).next_multiple_of(64)
}

/// Keeps the frame of a task that was just preempted.
pub(crate) fn keep(task: &'static Task) -> Outcome {
    let from = task.context().regs.rdi as *const Frame;
    // SAFETY: the handler gave the frame on the signal stack, which nothing has used since: this is the first thing the hub does.
    unsafe {
        let state = (*from).uc.machine.fpstate as *const u8;
        let size = state_size(state);
        let block = std::alloc::alloc(layout(size));
        let Some(block) = NonNull::new(block) else {
            std::alloc::handle_alloc_error(layout(size))
        };
        // The frame itself at 8 modulo 16, as on a stack.
        let to = block.as_ptr().add(8).cast::<Frame>();
        to.copy_from_nonoverlapping(from, 1);
        let new_state = block.as_ptr().add(state_offset());
        new_state.copy_from_nonoverlapping(state, size);
        (*to).uc.machine.fpstate = new_state as u64;
        task.frame.set(NonNull::new(to.cast()));
        task.frame_on_stack.set(false);
    }
    task.context().full = 0;
    Outcome::Preempted
}

/// Frees a kept frame.
pub(crate) fn free(frame: NonNull<u8>) {
    // SAFETY: `keep` made it, eight bytes into its block.
    unsafe {
        let size = state_size((*frame.as_ptr().cast::<Frame>()).uc.machine.fpstate as *const u8);
        std::alloc::dealloc(frame.as_ptr().sub(8), layout(size));
    }
}

/// Runs a task from a frame until it crosses again. `on_stack`: the frame is the task's own, from a handler that returned.
pub(crate) fn resume(task: &'static Task, frame: NonNull<u8>, on_stack: bool) {
    // SAFETY: the frame is whole. The mask and the alternate stack that the kernel is to restore are the hub's, not the task's.
    unsafe {
        let uc = &mut (*frame.as_ptr().cast::<Frame>()).uc;
        uc.mask = !super::UNBLOCKED;
        let (sp, size) = task.hub().kernel_altstack();
        uc.stack = libc::stack_t {
            ss_sp: sp as *mut libc::c_void,
            ss_flags: if size == 0 { libc::SS_DISABLE } else { 0 },
            ss_size: size,
        };
        (hub::crossing().resume_frame)(task.ctx.get(), frame.as_ptr() as usize);
    }
    if !on_stack {
        free(frame);
    }
}

/// For the handler of [`super::KICK`]: whether the code it struck may be preempted, and by whose hub. `frame`: the kernel's.
///
/// # Safety
/// Called on a hub's thread in its signal handler; `context` is the task that the thread-local slot names.
pub unsafe fn strike(context: *mut Context, frame: *const u8) -> bool {
    // SAFETY: a context's gate is set while it runs, and the frame is the kernel's.
    unsafe {
        let gate = &*(*context).gate;
        let rip = (*frame.cast::<Frame>()).uc.machine.rip as usize;
        if gate.in_program.load(std::sync::atomic::Ordering::Relaxed) == 0
            || (hub::crossing().in_library)(rip)
        {
            return false;
        }
        (*context).full = 0;
        (*context).regs.rax = PREEMPTED as u64;
        (*context).regs.rdi = frame as u64;
    }
    true
}

/// Sends the preempting signal to a hub's thread.
pub(crate) fn send(hub: &hub::Hub) {
    super::kick_thread(hub.tid.load(std::sync::atomic::Ordering::Acquire));
}
