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
use crate::future::Without;
use crate::hub::{self, world};
use crate::signal::{self, frame};
use crate::spin;
use crate::sys;
use crate::sys::{write_user, Errno, SysResult};
use crate::task::{self, Task};
use crate::{extended, fds, guard, own};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

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

/// Whether an id is this process's, or that of any of its tasks.
pub(super) fn is_own(id: i32) -> bool {
    id == sys::process_id() || id > 0 && task::find(id).is_some()
}

/// A call whose argument `at` names a process: by the id of any of its threads, for Linux. Whether that is this one, whose own id the call has
/// then.
pub(super) fn named(mut call: Call, at: usize, id: i32) -> (Call, bool) {
    let is_own = is_own(id);
    if is_own {
        #[allow(clippy::cast_sign_loss)]
        {
            call.args[at] = sys::process_id() as usize;
        }
    }
    (call, is_own)
}

/// getpgid(2), getsid(2), prlimit(2).
pub(crate) fn about_process(call: Call, id: i32) -> SysResult {
    named(call, 0, id).0.raw()
}

/// process_vm_readv(2), process_vm_writev(2), move_pages(2), migrate_pages(2).
pub(crate) async fn on_memory(call: Call, id: i32) -> SysResult {
    super::in_pool(named(call, 0, id).0).await
}

/// kcmp(2): what it compares all tasks share.
pub(crate) fn kcmp(call: Call, first: i32, second: i32) -> SysResult {
    let (call, _) = named(call, 0, first);
    named(call, 1, second).0.raw()
}

/// setpgid(2): a thread's id names no process.
pub(crate) fn setpgid(call: Call, id: i32) -> SysResult {
    as_any_thread(call, id).raw()
}

/// pidfd_open(2): the same. A task has no descriptor of its own (`PIDFD_THREAD`): it is none that the kernel could tell the end of.
pub(crate) fn pidfd_open(call: Call, id: i32, flags: i32) -> SysResult {
    const THREAD: i32 = libc::O_EXCL;
    if flags & THREAD != 0 {
        return call.raw();
    }
    as_any_thread(call, id).raw()
}

/// A call whose first argument names a process, or else a thread that is not to be taken for one: for a task it names its OS thread, for the kernel to
/// answer as it does.
fn as_any_thread(mut call: Call, id: i32) -> Call {
    if id != sys::process_id() && is_own(id) {
        #[allow(clippy::cast_sign_loss)]
        {
            call.args[0] = call.hub().worker().tid() as usize;
        }
    }
    call
}

/// exit_group(2).
pub(crate) fn exit_group(call: Call) -> Outcome {
    super::robust::process_ends();
    let result = call.raw();
    call.done(result)
}

/// A clone that makes a process with memory of its own.
pub(crate) fn forking(call: Call, mut args: CloneArgs, stack_top: u64) -> Outcome {
    // The child goes on on a copy of the runtime's stack, and gets its own stack and thread pointer when it leaves it.
    let tls = (args.flags & libc::CLONE_SETTLS as u64 != 0).then_some(args.tls);
    let stack = (args.stack != 0).then_some(stack_top);
    args.flags &= !(libc::CLONE_SETTLS as u64);
    (args.stack, args.stack_size, args.tls) = (0, 0, 0);
    fds::shared();
    if shares_table(call.task, args.flags) {
        let _stopped = world::stop(call.hub().worker());
        if let Err(e) = guard::prepare() {
            return call.done(Err(e));
        }
    }
    // An OS thread of the task's own makes it itself, and all others wait meanwhile.
    if args.flags & libc::CLONE_VFORK as u64 != 0 && !call.hub().is_lone() {
        return awaited(call, args, stack, tls);
    }
    let stopped = world::stop(call.hub().worker());
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
    drop(departure);
    call.done(result)
}

/// Whether a child that has memory of its own shares the table of descriptors in which the runtime's own are.
fn shares_table(task: &Task, flags: u64) -> bool {
    flags & libc::CLONE_FILES as u64 != 0 && !task.hub().has_own_files()
}

/// A clone whose caller waits until the child has called exec or exit (`CLONE_VFORK`), and nobody else: the kernel suspends the thread
/// that makes it, which is a carrier. The hub keeps the world still meanwhile, but only until the kernel has copied the memory: it tells
/// the parent the child's id after that.
fn awaited(call: Call, args: CloneArgs, stack: Option<u64>, tls: Option<u64>) -> Outcome {
    let legacy = call.number as i64 != libc::SYS_clone3;
    let words = (libc::CLONE_PIDFD | libc::CLONE_PARENT_SETTID) as u64;
    if legacy && args.flags & words == words {
        return call.done(Err(Errno::INVAL));
    }
    let clone = Arc::new(Awaited {
        args,
        legacy,
        departure: OnceLock::new(),
        state: AtomicU32::new(WAITS),
        child: AtomicI32::new(0),
    });
    let done = match window::fork(call.task, Arc::clone(&clone) as Arc<dyn window::Fork>) {
        Ok(done) => done,
        Err(e) => return call.done(Err(e)),
    };
    // A carrier that has not taken it yet is on its way into the runtime, and would wait for the world to go on. So may this hub not keep
    // another, for whose fork that carrier waits, from stopping the world.
    call.hub().at_rest(|| clone.wait_for(TAKEN));
    let stopped = world::stop(call.hub().worker());
    let departure = Departure::prepare(call.task, clone.args.flags, stack, tls);
    let _ = clone.departure.set(departure);
    clone.tell(READY);
    spin::until(|| {
        clone.child.load(Ordering::Acquire) != 0 || clone.state.load(Ordering::Acquire) == FAILED
    });
    drop(stopped);
    super::run_without(call, done, Without::Reserve)
}

struct Awaited {
    args: CloneArgs,
    legacy: bool,
    /// Set before [`READY`].
    departure: OnceLock<Departure>,
    /// A futex word.
    state: AtomicU32,
    /// The child's id, when it is there.
    child: AtomicI32,
}

const WAITS: u32 = 0;
/// A carrier has it, and is outside the runtime.
const TAKEN: u32 = 1;
/// The world stands still.
const READY: u32 = 2;
/// There is no child.
const FAILED: u32 = 3;

impl Awaited {
    fn tell(&self, state: u32) {
        self.state.store(state, Ordering::SeqCst);
        sys::futex_wake(&self.state, i32::MAX);
    }

    fn wait_for(&self, state: u32) {
        loop {
            match self.state.load(Ordering::SeqCst) {
                now if now == state => return,
                now => sys::futex_wait(&self.state, now),
            }
        }
    }
}

impl window::Fork for Awaited {
    fn make(&self) -> SysResult {
        self.tell(TAKEN);
        self.wait_for(READY);
        let tells_parent = self.args.flags & libc::CLONE_PARENT_SETTID as u64 != 0;
        let mut args = self.args;
        if self.legacy && args.flags & libc::CLONE_PIDFD as u64 != 0 {
            // clone(2) has one argument for both words.
            args.pidfd = args.parent_tid;
        }
        args.flags |= libc::CLONE_PARENT_SETTID as u64;
        args.parent_tid = self.child.as_ptr() as u64;
        // SAFETY: makes a process; it comes back twice, in two processes. The word lives as long as this.
        let result = unsafe { sys!(SYS_clone3, &args, std::mem::size_of::<CloneArgs>()) };
        if result == Ok(0) {
            if let Some(departure) = self.departure.get() {
                departure.leave();
            }
        }
        match result {
            Err(_) => self.state.store(FAILED, Ordering::SeqCst),
            Ok(child) if tells_parent => {
                // SAFETY: the program's word.
                let _ = unsafe { write_user(self.args.parent_tid as *mut i32, child as i32) };
            }
            Ok(_) => {}
        }
        result
    }
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
    is_guarded: bool,
    own: Vec<(i32, i32)>,
    actions: Vec<(i32, signal::Action)>,
    name: [u8; 16],
    robust_list: usize,
    gs: u64,
    wishes: Option<Wishes>,
}

impl Departure {
    fn prepare(task: &'static Task, flags: u64, stack: Option<u64>, tls: Option<u64>) -> Self {
        let is_guarded = shares_table(task, flags);
        let fs = task.context().fs;
        Self {
            frame: frame::departing(task, stack),
            old_fs: fs,
            fs: tls.unwrap_or(fs),
            // Shared descriptors are the parent's, and a table of the task's own has none of them.
            is_guarded,
            own: if is_guarded || task.hub().has_own_files() {
                Vec::new()
            } else {
                own::ranges()
            },
            actions: signal::actions_of_child(flags & CLONE_CLEAR_SIGHAND != 0),
            name: task.name.get(),
            robust_list: task.robust_list.get(),
            // The task has the CPU: it is in its call.
            gs: extended::gs(),
            wishes: scheduling::wishes(task.id()),
        }
    }

    /// In the child.
    fn leave(&self) -> ! {
        let crossing = hub::crossing();
        // SAFETY: the task's thread pointers.
        unsafe {
            (crossing.set_slot)(self.old_fs, std::ptr::null_mut());
            if self.fs != self.old_fs {
                (crossing.set_slot)(self.fs, std::ptr::null_mut());
            }
        }
        own::close_ranges(&self.own);
        if self.is_guarded {
            guard::turn_on();
        }
        crate::log::forget_file();
        (crossing.dormant)();
        // The kernel's idea of the thread becomes the task's. (It may be a carrier's.)
        extended::set_gs(self.gs);
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
            let _ = action.install(*signal);
        }
        // Last, in one step: registers, signal mask and alternate stack.
        // SAFETY: the frame is whole and has all of the task's state, with the thread pointer that goes with it.
        unsafe { (crossing.leave)(self.fs, self.frame.as_ptr() as usize) }
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        frame::free_loose(self.frame);
    }
}

// SAFETY: its frame is its own.
unsafe impl Send for Departure {}
// SAFETY: it is only read.
unsafe impl Sync for Departure {}
