//! Threads: their making and ending, and what a thread may ask about itself.

use super::window::{self, What};
use super::{apart, futex, identity, process, robust, scheduling, Call, Outcome};
use crate::everywhere;
use crate::hub::{self, lone};
use crate::signal;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task::{self, Task};
use crate::trim;
use crate::user;
use std::sync::atomic::Ordering;

/// The kernel's `struct clone_args`; what later versions than the first add is not for threads.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub(crate) struct CloneArgs {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}

/// The size of the first version.
const FIRST_SIZE: usize = 64;

const CLONE_VM: u64 = libc::CLONE_VM as u64;
const CLONE_VFORK: u64 = libc::CLONE_VFORK as u64;
const CLONE_THREAD: u64 = libc::CLONE_THREAD as u64;
const CLONE_SETTLS: u64 = libc::CLONE_SETTLS as u64;
/// The child has no handlers.
pub(crate) const CLONE_CLEAR_SIGHAND: u64 = 1 << 32;

/// clone(2), as the x86-64 system call has its arguments.
pub(crate) fn clone(call: Call) -> Outcome {
    let [flags, stack, parent_tid, child_tid, tls, _] = call.args.map(|a| a as u64);
    let args = CloneArgs {
        flags: flags & !0xff,
        exit_signal: flags & 0xff,
        stack,
        parent_tid,
        child_tid,
        tls,
        ..CloneArgs::default()
    };
    cloning(call, args, stack)
}

/// clone3(2).
pub(crate) fn clone3(call: Call) -> Outcome {
    match read_args(call.args[0], call.args[1]) {
        Ok(args) if !is_valid(&args) => call.done(Err(Errno::INVAL)),
        Ok(args) => cloning(call, args, args.stack.wrapping_add(args.stack_size)),
        Err(e) => call.done(Err(e)),
    }
}

/// The program's struct, of any version: what it has beyond ours must be zero.
fn read_args(at: usize, size: usize) -> Result<CloneArgs, Errno> {
    const OURS: usize = std::mem::size_of::<CloneArgs>();
    if size < FIRST_SIZE {
        return Err(Errno::INVAL);
    }
    if size > 4096 {
        return Err(Errno(libc::E2BIG));
    }
    for byte in OURS..size {
        // SAFETY: of the program's struct.
        if unsafe { read_user((at + byte) as *const u8) }? != 0 {
            return Err(Errno(libc::E2BIG));
        }
    }
    let mut args = CloneArgs::default();
    // SAFETY: all bytes make a struct.
    unsafe { user::read_bytes((&raw mut args).cast(), at, size.min(OURS)) }?;
    Ok(args)
}

/// What the kernel asks of clone3(2)'s arguments before it looks at what they mean (`clone3_args_valid`).
fn is_valid(args: &CloneArgs) -> bool {
    /// Where clone(2) has its signal; one of these bits is a flag here.
    const SIGNAL: u64 = 0xff;
    const CLONE_NEWTIME: u64 = 0x80;
    const CLONE_DETACHED: u64 = 1 << 22;
    const LAST_SIGNAL: u64 = 64;
    let has_no_signal = CLONE_THREAD | libc::CLONE_PARENT as u64;
    let stack = (args.stack as usize, args.stack_size as usize);
    args.flags & (CLONE_DETACHED | SIGNAL & !CLONE_NEWTIME) == 0
        && (args.exit_signal == 0 || args.flags & has_no_signal == 0)
        && args.exit_signal <= LAST_SIGNAL
        && match stack {
            (0, 0) => true,
            (0, _) | (_, 0) => false,
            (at, size) => sys::is_range(at, size),
        }
}

fn cloning(call: Call, args: CloneArgs, stack_top: u64) -> Outcome {
    match args.flags {
        f if f & CLONE_THREAD != 0 => {
            let result = new_task(call, &args, stack_top);
            call.done(result)
        }
        f if f & (CLONE_VM | CLONE_VFORK) == CLONE_VM | CLONE_VFORK => {
            window::enter(call, What::Clone)
        }
        f if f & CLONE_VM != 0 => {
            // A process that shares our memory but is not waited for would run tasks on the same hubs.
            tracing::warn!("clone with CLONE_VM but neither CLONE_THREAD nor CLONE_VFORK is not supported: ENOSYS");
            call.done(Err(Errno(libc::ENOSYS)))
        }
        _ => process::forking(call, args, stack_top),
    }
}

/// A thread's clone: a task that starts with the caller's registers, on its own stack and with its own thread pointer.
fn new_task(call: Call, args: &CloneArgs, stack_top: u64) -> SysResult {
    if args.flags & CLONE_SETTLS == 0 || args.stack == 0 {
        tracing::warn!(
            "a thread without a thread pointer or stack of its own is not supported: EINVAL"
        );
        return Err(Errno::INVAL);
    }
    trim::reused(args.stack as usize, stack_top as usize);
    let parent = call.task;
    // Natively it has what the kernel keeps for its maker.
    let lone = parent.hub().is_lone();
    let hub = if lone {
        lone::reserve_like(parent.hub())?
    } else {
        hub::balance::least_loaded()
    };
    let created = task::create(hub, None, parent.mask.load(Ordering::Relaxed));
    let task = created.ok_or(Errno::AGAIN).inspect_err(|_| {
        if lone {
            lone::give_back(hub);
        }
    })?;
    let started = if lone { lone::start(hub) } else { Ok(()) };
    if let Err(e) = started {
        task::count_out_unless_last();
        task.retire();
        return Err(e);
    }
    let (from, to) = (parent.context(), task.context());
    to.regs = from.regs;
    to.xmm = from.xmm;
    to.flags = from.flags;
    to.regs.rax = 0;
    to.regs.rsp = stack_top;
    to.fs = args.tls;
    task.stack.set((args.stack as usize, stack_top as usize));
    // As natively a thread begins with its maker's rounding mode and the like.
    task.fp.set(crate::extended::control());
    task.gs.set(crate::extended::gs());
    copy_extended(parent, task);
    task.name.set(parent.name.get());
    let brief = parent.closed.take();
    parent.brief.set(brief);
    task.brief.set(brief);
    scheduling::inherit(parent, task);
    let id = task.id();
    // SAFETY: the new thread's control block and the words that the program named.
    unsafe {
        (hub::crossing().set_slot)(args.tls, task.ctx.get());
        if args.flags & libc::CLONE_PARENT_SETTID as u64 != 0 {
            let _ = write_user(args.parent_tid as *mut i32, id);
        }
        if args.flags & libc::CLONE_CHILD_SETTID as u64 != 0 {
            let _ = write_user(args.child_tid as *mut i32, id);
        }
    }
    if args.flags & libc::CLONE_CHILD_CLEARTID as u64 != 0 {
        task.clear_tid.set(args.child_tid as usize);
    }
    task.wake_near();
    Ok(usize::try_from(id).unwrap_or(0))
}

/// A thread begins with what its maker has in its registers.
fn copy_extended(parent: &Task, task: &Task) {
    if parent.context().full != 0 {
        let (from, to) = (parent.extended(), task.extended());
        // SAFETY: two areas of the same size.
        unsafe { to.copy_from_nonoverlapping(from, crate::extended::size()) };
        task.context().full = 1;
    }
}

/// exit(2): the end of a thread. The last one ends the process.
pub(crate) fn exit(call: Call) -> Outcome {
    let task = call.task;
    let status = call.args[0] as i32;
    begin_to_end(task);
    if !task::count_out_unless_last() {
        if status != 0 || task.strict.get() {
            // Not libc's end of a thread: that says 0. The process ends with this thread's status (since Linux 5.17; with its first one's before).
            robust::process_ends();
            // SAFETY: ends the process.
            let _ = unsafe { sys!(SYS_exit_group, status) };
        }
        // libc ends the process when its last thread ends, by exit(0); but it counts our workers as threads, too. It does so before it
        // blocks all signals, since what atexit(3) registered runs then.
        signal::set_mask(task, task.mask.load(Ordering::Relaxed) & !task.closed.get());
        let context = task.context();
        context.regs.rip = hub::crossing().exit as u64;
        context.regs.rdi = 0;
        context.regs.rsp = (context.regs.rsp & !15) - 8;
        context.full = 0;
        return Outcome::Resume;
    }
    end(task)
}

/// What comes before a task that is about to end is counted out.
pub(super) fn begin_to_end(task: &Task) {
    if task.hub().is_lone() {
        // As libc leaves a thread alone that ends: whoever sees the task gone changes the others' credentials without it.
        everywhere::withdraw();
    }
}

/// Ends a task that was counted out and is not the last.
pub(super) fn end(task: &'static Task) -> Outcome {
    robust::thread_ends(task);
    scheduling::forget(task.id());
    let clear = task.clear_tid.get();
    let hub = task.hub();
    trim::ended(task);
    signal::leave(task);
    task.retire();
    hub.is_ending();
    // Last, as from here on somebody may unmap the stack. (The task's hub runs on its own.)
    if clear != 0 {
        futex::clear_tid(clear);
    }
    Outcome::Ended
}

/// sched_yield(2). On a task's own OS thread it is the kernel that has others.
pub(crate) fn sched_yield(call: Call) -> Outcome {
    if call.hub().is_lone() {
        return call.done(call.raw());
    }
    call.task.context().regs.rax = 0;
    Outcome::Yield
}

/// gettid(2).
pub(crate) fn gettid(call: Call) -> SysResult {
    Ok(usize::try_from(call.task.id()).unwrap_or(0))
}

/// set_tid_address(2).
pub(crate) fn set_tid_address(call: Call, address: usize) -> SysResult {
    call.task.clear_tid.set(address);
    gettid(call)
}

/// rseq(2): the kernel would keep the CPU's number current in each OS thread's area, which tasks do not have. libc insists on
/// success where the first thread had it, and falls back to getcpu(2) where the area says that it is not in use.
pub(crate) fn rseq(_call: Call, area: *mut u32, _len: u32, flags: i32) -> SysResult {
    if flags == 0 {
        // SAFETY: the program's area: cpu_id_start, cpu_id, …  cpu_id -1 is RSEQ_CPU_ID_UNINITIALIZED.
        unsafe { write_user(area.wrapping_add(1), u32::MAX) }?;
    }
    Ok(0)
}

/// prctl(2): the name is the task's; what else is a thread's it has on an OS thread of its own; the rest is the process's.
pub(crate) fn prctl(call: Call, option: i32, second: usize) -> SysResult {
    const GET_TID_ADDRESS: i32 = 40;
    const SET_SYSCALL_USER_DISPATCH: i32 = 59;
    match option {
        libc::PR_SET_NAME => {
            let mut name = [0u8; 16];
            for (i, byte) in name.iter_mut().take(15).enumerate() {
                // SAFETY: a C string of the program's.
                *byte = unsafe { read_user((second as *const u8).add(i)) }?;
                if *byte == 0 {
                    break;
                }
            }
            call.task.set_name(name);
            if call.hub().is_lone() {
                return call.raw();
            }
            Ok(0)
        }
        libc::PR_GET_NAME => {
            // SAFETY: the program's buffer of 16 bytes.
            unsafe { write_user(second as *mut [u8; 16], call.task.name.get()) }?;
            Ok(0)
        }
        GET_TID_ADDRESS => {
            // SAFETY: the program's word.
            unsafe { write_user(second as *mut usize, call.task.clear_tid.get()) }.map(|()| 0)
        }
        // Two dispatchers on one thread cannot be.
        SET_SYSCALL_USER_DISPATCH => Err(Errno::INVAL),
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        libc::PR_SET_PDEATHSIG => identity::set_death_signal(call, second as i32),
        libc::PR_GET_PDEATHSIG => identity::death_signal(call, second as *mut i32),
        option => apart::prctl(call, option, second).unwrap_or_else(|| call.raw()),
    }
}

/// arch_prctl(2): the thread pointer is the task's.
pub(crate) fn arch_prctl(call: Call, code: i32, address: usize) -> SysResult {
    const SET_FS: i32 = 0x1002;
    const GET_FS: i32 = 0x1003;
    const SET_GS: i32 = 0x1001;
    const SET_CPUID: i32 = 0x1012;
    let context = call.task.context();
    match code {
        SET_FS => {
            // SAFETY: the program says that there is a thread control block.
            unsafe { (hub::crossing().set_slot)(address as u64, call.task.ctx.get()) };
            context.fs = address as u64;
            Ok(0)
        }
        GET_FS => {
            // SAFETY: the program's word.
            unsafe { write_user(address as *mut u64, context.fs) }?;
            Ok(0)
        }
        SET_GS | SET_CPUID => apart::make(call),
        _ => call.raw(),
    }
}
