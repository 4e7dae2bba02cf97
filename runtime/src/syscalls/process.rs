//! Processes: fork, vfork, exec and the end.
//!
//! A forked child has the forking task alone, and it is *native* again: the one OS thread that the child has, the hub's, goes on as
//! that task's thread, with its mask, alternate stack and thread pointer, and without a current task. The library lies dormant as
//! in a fresh process; should the child create a thread, it converts anew. So a child that only execs pays next to nothing.
//!
//! vfork and exec are made by the task itself, in a [`window`].

use super::thread::CloneArgs;
use super::window::{self, What};
use super::{Call, Outcome};
use crate::hub::{self, world};
use crate::signal::{self, frame};
use crate::sys;
use crate::task;
use crate::{fds, own, pool};

/// fork(2).
pub(crate) fn fork(call: Call) -> Outcome {
    forking(
        call,
        CloneArgs {
            exit_signal: libc::SIGCHLD as u64,
            ..CloneArgs::default()
        },
        0,
    )
}

/// vfork(2).
pub(crate) fn vfork(call: Call) -> Outcome {
    window::enter(call, What::Clone)
}

/// execve(2).
pub(crate) fn execve(call: Call) -> Outcome {
    window::enter(call, What::Exec)
}

/// execveat(2).
pub(crate) fn execveat(call: Call) -> Outcome {
    window::enter(call, What::Exec)
}

/// exit_group(2).
pub(crate) fn exit_group(call: Call) -> Outcome {
    super::thread::abandon_shared_locks();
    let result = call.raw();
    call.done(result)
}

/// A clone that makes a process with memory of its own.
pub(crate) fn forking(call: Call, mut args: CloneArgs, stack_top: u64) -> Outcome {
    let hub = call.hub();
    let task = call.task;
    // The child goes on on a copy of this very stack, and gets its own stack and thread pointer when it leaves it.
    let tls = (args.flags & libc::CLONE_SETTLS as u64 != 0).then_some(args.tls);
    let stack = (args.stack != 0).then_some(stack_top);
    args.flags &= !(libc::CLONE_SETTLS as u64);
    (args.stack, args.stack_size, args.tls) = (0, 0, 0);
    fds::shared();
    let stopped = world::stop(hub.worker());
    let number = call.number as i64;
    // SAFETY: makes a process; it comes back twice, in two processes.
    let result = unsafe {
        match number {
            libc::SYS_clone3 => sys!(SYS_clone3, &args, std::mem::size_of::<CloneArgs>()),
            libc::SYS_fork => sys!(SYS_fork),
            // The child's words are in other registers than libc's wrapper suggests: flags, stack, parent, child, tls.
            _ => sys!(
                SYS_clone,
                args.flags | args.exit_signal,
                0,
                args.parent_tid,
                args.child_tid,
                0
            ),
        }
    };
    if result != Ok(0) {
        drop(stopped);
        return call.done(result);
    }
    world::alone();
    drop(stopped);
    let context = task.context();
    context.regs.rax = 0;
    if let Some(top) = stack {
        context.regs.rsp = top;
    }
    let old_fs = context.fs;
    if let Some(tls) = tls {
        context.fs = tls;
    }
    // SAFETY: the task's thread pointers.
    unsafe {
        (hub::crossing().set_slot)(old_fs, std::ptr::null_mut());
        (hub::crossing().set_slot)(context.fs, std::ptr::null_mut());
    }
    become_native(task, args.flags & libc::CLONE_FILES as u64 != 0)
}

/// In a forked child: leaves the runtime for good, as the task.
fn become_native(task: &'static task::Task, shares_files: bool) -> ! {
    crate::log::forget_file();
    if shares_files {
        own::forget_all();
    } else {
        own::close_all();
    }
    super::futex::reset();
    super::close::reset();
    signal::reset();
    super::timer::reset();
    pool::reset();
    window::reset();
    super::identity::reset();
    crate::everywhere::forget_all();
    let _ = super::scheduling::assume(task.id());
    super::scheduling::reset();
    crate::errand::reset();
    hub::forget_all();
    (hub::crossing().dormant)();
    // The kernel's idea of the thread becomes the task's.
    let name = task.name.get();
    // SAFETY: 16 bytes with a NUL.
    let _ = unsafe { sys!(SYS_prctl, libc::PR_SET_NAME, name.as_ptr()) };
    if task.robust_list.get() != 0 {
        // SAFETY: as the task registered it.
        let _ = unsafe { sys!(SYS_set_robust_list, task.robust_list.get(), 24) };
    }
    signal::restore_kernel_actions();
    task::forget_all();
    crate::trim::forget_all();
    // Last, in one step: registers, signal mask and alternate stack.
    frame::leave(task)
}
