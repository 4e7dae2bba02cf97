//! Preemption: taking the CPU from a task in the middle of program code.
//!
//! The receiver sends [`super::KICK`] to a hub's thread. Its handler, when it struck program code and nothing else, does not return: it
//! crosses into the hub as if the program had made the pseudo call [`PREEMPTED`] with the kernel's signal frame as its argument.
//! The frame holds the task's whole state (extended registers too). A copy of it is made off the signal stack, and later the hub goes on
//! by giving the copy to `rt_sigreturn`. Nothing is ever struck inside the runtime: `Gate::in_program` says who runs.

use super::frame::Frame;
use crate::context::Context;
use crate::hub::{self, Worker};
use crate::sys::Errno;
use crate::syscalls::Outcome;
use crate::task::Task;
use crate::user;
use std::alloc::Layout;
use std::mem::size_of;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

/// The pseudo system call of a preempted task.
pub const PREEMPTED: usize = 0x434f_4f51;

/// How many bytes the floating-point state of a kernel frame takes.
///
/// For a frame that the kernel wrote, or [`super::frame::push`].
pub(crate) fn state_size(state: *const u8) -> usize {
    if state.is_null() {
        return 0;
    }
    // The legacy area is always there, and its software bytes say what follows (`struct _fpx_sw_bytes`).
    // SAFETY: any bytes are two numbers.
    match unsafe { crate::user::read(state.wrapping_add(464).cast::<[u32; 2]>()) } {
        Ok([0x4650_5853, size]) => size as usize,
        _ => 512,
    }
}

/// Where the state is in a copy: after the frame, at 64 bytes.
const fn state_offset() -> usize {
    (8 + size_of::<Frame>()).next_multiple_of(64)
}

/// What a copy of any frame takes.
fn layout() -> Layout {
    Layout::from_size_align(state_offset() + crate::extended::largest() + 64, 64)
        .expect("a frame's layout")
}

/// Memory for a copy of a frame; the frame itself at 8 modulo 16, as on a stack.
pub(crate) fn allocate() -> NonNull<u8> {
    // SAFETY: the layout is not empty.
    let block = unsafe { std::alloc::alloc(layout()) };
    let Some(block) = NonNull::new(block) else {
        std::alloc::handle_alloc_error(layout())
    };
    // SAFETY: within the block.
    unsafe { block.add(8) }
}

/// Frees what [`allocate`] gave.
pub(crate) fn free(frame: NonNull<u8>) {
    // SAFETY: eight bytes into its block.
    unsafe { std::alloc::dealloc(frame.as_ptr().sub(8), layout()) };
}

/// Keeps the frame of a task that was just preempted: [`strike`] has copied it into the thread's spare one.
pub(crate) fn keep(task: &'static Task, worker: &Worker) -> Outcome {
    let fresh = allocate().as_ptr();
    task.frame
        .set(NonNull::new(worker.spare_frame.replace(fresh)));
    task.frame_on_stack.set(false);
    task.context().full = 0;
    Outcome::Preempted
}

/// Runs a task from a frame until it crosses again.
pub(crate) fn resume(task: &'static Task, worker: &Worker, frame: NonNull<u8>) {
    // The mask and the alternate stack that the kernel is to restore are the thread's, not the task's.
    let mask = !super::UNBLOCKED;
    let (sp, size) = worker.signal_stack();
    let stack = libc::stack_t {
        ss_sp: sp as *mut libc::c_void,
        ss_flags: if size == 0 { libc::SS_DISABLE } else { 0 },
        ss_size: size,
    };
    let set = |frame: NonNull<u8>| {
        let frame = frame.as_ptr().cast::<Frame>();
        // SAFETY: two fields of a frame, which may be in the program's memory.
        unsafe {
            user::write(&raw mut (*frame).uc.mask, mask)?;
            user::write(&raw mut (*frame).uc.stack, stack)
        }
    };
    // The frame is the task's own, from a handler that returned, or a kept copy. The kernel only reads it, so it may be where one cannot write.
    let mut kept = (!task.frame_on_stack.get()).then_some(frame);
    if set(frame).is_err() {
        let copy = copy_of(frame);
        let _ = set(copy);
        kept = Some(copy);
    }
    let from = kept.unwrap_or(frame).as_ptr() as usize;
    // SAFETY: the frame is whole.
    unsafe { (hub::crossing().resume_frame)(task.ctx.get(), from) };
    if let Some(kept) = kept {
        free(kept);
    }
}

/// A copy of a frame in the program's memory. What cannot even be read ends the process, as it would in `rt_sigreturn`.
pub(super) fn copy_of(frame: NonNull<u8>) -> NonNull<u8> {
    let copy = allocate();
    // SAFETY: any bytes are a frame and its state; the copy has room for `largest` bytes of that.
    let copied: Result<(), Errno> = (|| unsafe {
        let mut whole = user::read(frame.as_ptr().cast::<Frame>())?;
        let state = whole.uc.machine.fpstate as *const u8;
        let size = state_size(state).min(crate::extended::largest());
        let new_state = copy.as_ptr().sub(8).add(state_offset());
        user::read_bytes(new_state, state as usize, size)?;
        if size != 0 {
            whole.uc.machine.fpstate = new_state as u64;
        }
        copy.as_ptr().cast::<Frame>().write(whole);
        Ok(())
    })();
    if copied.is_err() {
        super::die(libc::SIGSEGV);
    }
    copy
}

/// For a signal handler: whether the code it struck may cross, as if it had made the pseudo call `call`. `frame`: the kernel's.
///
/// Copies the frame while still on the signal stack: once the hub's code runs, the next signal's frame takes its place.
///
/// # Safety
/// Called on a hub's thread in its signal handler; `context` is the task that the thread-local slot names.
pub unsafe fn strike(context: *mut Context, frame: *const u8, call: usize) -> bool {
    // SAFETY: a context's gate is set while it runs and is its worker's first field; the frame is the kernel's; the spare one has room
    // for `largest` bytes of state.
    unsafe {
        let gate = (*context).gate;
        let worker = &*gate.cast::<Worker>();
        // Whoever did not kick because of this kick is seen at the crossing.
        worker.kicked.swap(false, Ordering::SeqCst);
        let from = frame.cast::<Frame>();
        let rip = (*from).uc.machine.rip as usize;
        if (*gate).in_program.load(Ordering::Relaxed) == 0 || (hub::crossing().in_library)(rip) {
            return false;
        }
        let spare = worker.spare_frame.get();
        let state = (*from).uc.machine.fpstate as *const u8;
        let size = state_size(state);
        if spare.is_null() || size > crate::extended::largest() {
            return false;
        }
        let to = spare.cast::<Frame>();
        to.copy_from_nonoverlapping(from, 1);
        let new_state = spare.sub(8).add(state_offset());
        new_state.copy_from_nonoverlapping(state, size);
        (*to).uc.machine.fpstate = new_state as u64;
        (*context).full = 0;
        (*context).regs.rax = call as u64;
    }
    true
}

/// Sends the preempting signal to a hub's thread.
pub(crate) fn send(worker: &Worker) {
    super::kick_thread(worker.tid());
}
