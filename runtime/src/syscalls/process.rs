//! Processes: fork, vfork, exec and the end.
//!
//! A forked child has the forking task alone, and it is *native* again: the one OS thread that the child has, the hub's, goes on as
//! that task's thread, with its mask, alternate stack and thread pointer, and without a current task. The library lies dormant as
//! in a fresh process; should the child create a thread, it converts anew. So a child that only execs pays next to nothing.
//!
//! vfork and exec are made by the task itself, in a [`window`].

use super::scheduling::{self, Wishes};
use super::thread::{CloneArgs, CLONE_CLEAR_SIGHAND};
use super::window::{self, What};
use super::{Call, Outcome};
use crate::hub::{self, world};
use crate::signal::{self, frame};
use crate::sys;
use crate::task::Task;
use crate::{fds, own};
use std::ptr::NonNull;

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
    // The child goes on on a copy of this very stack, and gets its own stack and thread pointer when it leaves it.
    let tls = (args.flags & libc::CLONE_SETTLS as u64 != 0).then_some(args.tls);
    let stack = (args.stack != 0).then_some(stack_top);
    args.flags &= !(libc::CLONE_SETTLS as u64);
    (args.stack, args.stack_size, args.tls) = (0, 0, 0);
    fds::shared();
    let stopped = world::stop(hub.worker());
    let departure = Departure::prepare(call.task, args.flags, stack, tls);
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
    if result == Ok(0) {
        departure.leave();
    }
    drop(stopped);
    departure.free();
    call.done(result)
}

/// What a forked child does to leave the runtime for good, as the task.
///
/// All of it is laid out before the fork: every page that the child writes to it must copy first, which costs more than the system calls
/// that it makes, and most children only call exec. So the child changes nothing in memory, but for the word by which the doors find its
/// task. Its tables stay as they were, with nobody to look at them, until it is converted itself ([`crate::renew`]); those with an entry a
/// task or a descriptor are not even copied (`MADV_WIPEONFORK`).
struct Departure {
    frame: NonNull<u8>,
    old_fs: u64,
    fs: u64,
    own: Vec<(i32, i32)>,
    actions: [(i32, signal::Action); signal::OURS],
    name: [u8; 16],
    robust_list: usize,
    wishes: Option<Wishes>,
}

impl Departure {
    fn prepare(task: &'static Task, flags: u64, stack: Option<u64>, tls: Option<u64>) -> Self {
        let shares_files = flags & libc::CLONE_FILES as u64 != 0;
        let fs = task.context().fs;
        Self {
            frame: frame::departing(task, stack),
            old_fs: fs,
            fs: tls.unwrap_or(fs),
            // Shared descriptors are the parent's.
            own: if shares_files {
                Vec::new()
            } else {
                own::ranges()
            },
            actions: signal::actions_of_child(flags & CLONE_CLEAR_SIGHAND != 0),
            name: task.name.get(),
            robust_list: task.robust_list.get(),
            wishes: scheduling::wishes(task.id()),
        }
    }

    /// In the child.
    fn leave(self) -> ! {
        let crossing = hub::crossing();
        // SAFETY: the task's thread pointers.
        unsafe {
            (crossing.set_slot)(self.old_fs, std::ptr::null_mut());
            if self.fs != self.old_fs {
                (crossing.set_slot)(self.fs, std::ptr::null_mut());
            }
        }
        own::close_ranges(&self.own);
        crate::log::forget_file();
        (crossing.dormant)();
        // The kernel's idea of the thread becomes the task's.
        if let Some(wishes) = &self.wishes {
            wishes.apply();
        }
        // SAFETY: 16 bytes with a NUL, and a list's head as the task registered it.
        unsafe {
            let _ = sys!(SYS_prctl, libc::PR_SET_NAME, self.name.as_ptr());
            if self.robust_list != 0 {
                let _ = sys!(SYS_set_robust_list, self.robust_list, 24);
            }
        }
        for (signal, action) in &self.actions {
            // SAFETY: reads one action.
            let _ = unsafe { sys!(SYS_rt_sigaction, *signal, action, 0, 8) };
        }
        // Last, in one step: registers, signal mask and alternate stack.
        // SAFETY: the frame is whole and has all of the task's state, with the thread pointer that goes with it.
        unsafe { (crossing.leave)(self.fs, self.frame.as_ptr() as usize) }
    }

    /// In the parent.
    fn free(self) {
        frame::free_loose(self.frame);
    }
}
