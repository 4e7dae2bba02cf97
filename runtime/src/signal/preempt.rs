//! Preemption: taking the CPU from a task in the middle of program code.
//!
//! The receiver sends [`super::KICK`] to a hub's thread. Its handler, when it struck program code and nothing else, does not return: it
//! crosses into the hub as if the program had made the pseudo call [`PREEMPTED`] with the kernel's signal frame as its argument.
//! The frame holds the task's whole state (extended registers too). A copy of it is made off the signal stack, and later the hub goes on
//! by giving the copy to `rt_sigreturn`. Nothing is ever struck inside the runtime: `Gate::in_program` says who runs.

use super::frame::Frame;
use crate::context::Context;
use crate::heap;
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

/// Memory for a copy of a frame; the frame itself at 8 modulo 16, as on a stack. `None`: there is none.
pub(crate) fn allocate() -> Option<NonNull<u8>> {
    if heap::is_scarce() {
        return None;
    }
    // SAFETY: the layout is not empty.
    let block = unsafe { std::alloc::alloc(layout()) };
    // SAFETY: within the block.
    NonNull::new(block).map(|block| unsafe { block.add(8) })
}

/// Gives back what [`allocate`] gave: to the thread, if it has no spare one.
pub(crate) fn give_back(worker: &Worker, frame: NonNull<u8>) {
    if worker.has_spare_frame() {
        // SAFETY: eight bytes into its block.
        unsafe { std::alloc::dealloc(frame.as_ptr().sub(8), layout()) };
    } else {
        worker.spare_frame.set(Some(frame));
    }
}

/// Keeps the frame of a task that was just preempted: [`strike`] has copied it into the thread's spare one.
///
/// The task takes that, and the thread gets a new one. If there is no memory for it, the frame goes where the kernel lays them, onto the task's stack. If
/// there is no room either, or the stack is one that only the program knows, the task goes on at once: without a spare frame no other task that runs
/// here could be preempted, nor be told of a fault.
pub(crate) fn keep(task: &'static Task, worker: &Worker) -> Outcome {
    let Some(frame) = worker.spare_frame.get() else {
        return Outcome::Resume;
    };
    let fresh = allocate();
    let on_stack = match fresh {
        Some(_) => None,
        None => onto_stack(task, frame),
    };
    if on_stack.is_none() {
        worker.spare_frame.set(fresh);
    }
    task.frame.set(on_stack.or(Some(frame)));
    task.frame_on_stack.set(on_stack.is_some());
    task.context().full = 0;
    if worker.has_spare_frame() {
        Outcome::Preempted
    } else {
        Outcome::Resume
    }
}

/// Copies a frame to below what its task has on its stack.
fn onto_stack(task: &Task, frame: NonNull<u8>) -> Option<NonNull<u8>> {
    // SAFETY: a frame that `strike` has copied is whole.
    let mut copy = unsafe { frame.cast::<Frame>().read() };
    let (rsp, state) = (copy.uc.machine.rsp, copy.uc.machine.fpstate as *const u8);
    let size = state_size(state);
    let (to_state, to) = super::frame::below(rsp, size);
    if !task.has_below(rsp as usize, to as usize) {
        return None;
    }
    if size != 0 {
        copy.uc.machine.fpstate = to_state;
    }
    // SAFETY: below the red zone of a stack nothing is in use, and what is not there is an error.
    unsafe {
        user::write_bytes(to_state as usize, state, size).ok()?;
        user::write(to as *mut Frame, copy).ok()?;
    }
    NonNull::new(to as *mut u8)
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
        let copy = copy_of(worker, frame);
        let _ = set(copy);
        kept = Some(copy);
    }
    let from = kept.unwrap_or(frame).as_ptr() as usize;
    // The thread's only one is its spare one again from here on: nothing strikes before the kernel has read it.
    if !worker.has_spare_frame() {
        worker.spare_frame.set(kept.take());
    }
    // SAFETY: the frame is whole.
    unsafe { (hub::crossing().resume_frame)(task.ctx.get(), from) };
    if let Some(kept) = kept {
        give_back(worker, kept);
    }
}

/// A copy of a frame in the program's memory, if need be in the thread's spare one. What cannot even be read ends the process, as it would in `rt_sigreturn`.
pub(super) fn copy_of(worker: &Worker, frame: NonNull<u8>) -> NonNull<u8> {
    let Some(copy) = allocate().or_else(|| worker.spare_frame.take()) else {
        super::die(libc::SIGSEGV);
    };
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
        let Some(spare) = worker.spare_frame.get() else {
            return false;
        };
        let spare = spare.as_ptr();
        let state = (*from).uc.machine.fpstate as *const u8;
        let size = state_size(state);
        if size > crate::extended::largest() {
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
