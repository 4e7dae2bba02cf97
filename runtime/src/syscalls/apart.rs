//! What the kernel keeps for each OS thread, and how a task gets it for itself.
//!
//! | what | for a task |
//! |---|---|
//! | credentials by libc's functions (setuid(2) …) | the process's, as libc has it: [`super::identity`] |
//! | credentials by system calls of the program's own, setfsuid(2), setfsgid(2), capabilities, securebits, `no_new_privs` | its own |
//! | seccomp filters, Landlock, personality, speculation | its own |
//! | namespaces (unshare(2), setns(2)), a root and a working directory of one's own | its own |
//! | being a tracer, or traced (ptrace(2)) | its own |
//! | keyrings: its own, its process's and its session's, all three credentials | its own |
//! | timer slack, `PR_SET_TSC`, `PR_MCE_KILL`, `PR_SET_IO_FLUSHER`, I/O ports, the GS base, `ARCH_SET_CPUID` | its own |
//! | a table of descriptors of one's own (`CLONE_FILES`) | its own: [`super::own_files`] |
//! | `SECCOMP_MODE_STRICT` | kept where calls are answered: [`super::strict`] |
//! | policy, priority, CPUs, nice and I/O priority | remembered: [`super::scheduling`] |
//! | `PR_SET_PDEATHSIG` | the process's |
//! | memory policy (`set_mempolicy`) | the OS thread's that runs the task: it only says where pages had better be |
//!
//! *Its own* means: on an OS thread that carries nobody else ([`crate::hub::lone`]), where the call is made as it is. A call that would change nothing
//! is answered where the task is. A process with one task has one of everything: there what [`super::identity`] can make on all threads is
//! made there, and the task goes on as it was.

use super::{identity, own_files, strict, Call};
use crate::everywhere;
use crate::hub::lone;
use crate::spin;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task;

/// Sees to it that the call is made on an OS thread of the task's own: `Ok` on such a thread.
///
/// # Errors
/// `APART` when the task is to go there first, and its call is then answered again; the kernel's, if there can be no thread.
pub(super) fn demand(call: Call) -> Result<(), Errno> {
    if call.hub().is_lone() {
        return Ok(());
    }
    let own = lone::reserve()?;
    lone::start(own)?;
    call.task.bound.set(Some(own));
    tracing::info!(
        "task {} has an OS thread of its own from now on, for {}",
        call.task.id(),
        super::table::row(call.number).map_or("a call", |r| r.name)
    );
    Err(Errno::APART)
}

/// Makes a call as it is on an OS thread of the task's own.
pub(super) fn make(call: Call) -> SysResult {
    demand(call)?;
    call.raw()
}

/// The same, for what a task that is alone can have everywhere.
pub(super) fn make_unless_alone(call: Call) -> SysResult {
    if task::alive() == 1 && !call.hub().is_lone() {
        return identity::everywhere(call);
    }
    make(call)
}

/// add_key(2), request_key(2), keyctl(2): which keys a caller has, and so what it may do with one, is told by the keyrings of its thread.
pub(super) async fn keys(call: Call) -> SysResult {
    demand(call)?;
    super::in_pool(call).await
}

/// setfsuid(2), setfsgid(2): give what was before, and cannot say that they failed.
pub(super) fn set_fs_id(call: Call, id: u32) -> SysResult {
    // -1 is nobody's id.
    // SAFETY: takes no pointers.
    let now = sys::check(unsafe { sys::syscall_raw(call.number, [usize::MAX, 0, 0, 0, 0, 0]) });
    if now == Ok(id as usize) {
        return now;
    }
    match demand(call) {
        Ok(()) => call.raw(),
        Err(Errno::APART) => Err(Errno::APART),
        Err(_) => now,
    }
}

/// personality(2): 0xffffffff only asks.
pub(super) fn personality(call: Call, persona: u32) -> SysResult {
    // SAFETY: takes no pointers.
    let now = unsafe { sys!(SYS_personality, u32::MAX) };
    if persona == u32::MAX || now == Ok(persona as usize) {
        return now;
    }
    make_unless_alone(call)
}

/// ptrace(2): who traces, and what is traced, are threads for the kernel. All other requests are made by the tracer, on whichever thread that has
/// become; a child that asked to be traced has for its tracer the thread on which its parent forked.
pub(super) fn ptrace(call: Call, request: libc::c_uint) -> SysResult {
    match request {
        libc::PTRACE_TRACEME | libc::PTRACE_ATTACH | libc::PTRACE_SEIZE => make(call),
        _ => call.raw(),
    }
}

/// unshare(2).
pub(super) fn unshare(call: Call, flags: i32) -> SysResult {
    if flags & libc::CLONE_FILES != 0 {
        return own_files::unshare(call, flags);
    }
    if flags == 0 {
        return call.raw();
    }
    make(call)
}

/// seccomp(2).
pub(super) fn seccomp(call: Call, operation: u32, flags: u32, filter: usize) -> SysResult {
    const STRICT: u32 = 0;
    const FILTER: u32 = 1;
    const ON_ALL_THREADS: u32 = 1;
    const DO_NOT_NAME: u32 = 1 << 4;
    match operation {
        STRICT if flags == 0 && filter == 0 => strict::enter(call),
        // Without a filter it asks which flags there are.
        FILTER if flags & ON_ALL_THREADS == 0 && filter != 0 => make(call),
        FILTER => on_all_threads(call, flags & DO_NOT_NAME == 0),
        _ => call.raw(),
    }
}

/// A filter for all threads, or none: one that has other filters is unfit, and the kernel names it, or says `ESRCH` if it is told not to.
fn on_all_threads(call: Call, names: bool) -> SysResult {
    loop {
        // A task that has ended, and been waited for perhaps, before its thread has.
        let one_ends = everywhere::is_one_ending();
        let result = call.raw();
        let unfit = match result {
            Ok(tid) if tid != 0 && names => i32::try_from(tid).ok(),
            Err(Errno(libc::ESRCH)) => None,
            _ => return result,
        };
        if let Some(task) = unfit.and_then(lone::carried_by) {
            return Ok(task.id() as usize);
        }
        if !one_ends {
            return result;
        }
        // It may have to wait for a fork, which is not to wait for this hub.
        call.hub()
            .at_rest(|| spin::until(|| !everywhere::is_one_ending()));
    }
}

/// iopl(2), ioperm(2), setns(2).
pub(super) fn simply(call: Call) -> SysResult {
    make(call)
}

/// prctl(2), as far as it sets something of a thread's; `None`: something else.
pub(super) fn prctl(call: Call, option: i32, value: usize) -> Option<SysResult> {
    const MODE_STRICT: usize = 1;
    const MODE_FILTER: usize = 2;
    const SET_IO_FLUSHER: i32 = 57;
    const GET_IO_FLUSHER: i32 = 58;
    /// prctl(2)'s options of which another gets the present value.
    const SETTERS: [(i32, i32); 6] = [
        (libc::PR_SET_KEEPCAPS, libc::PR_GET_KEEPCAPS),
        (libc::PR_SET_SECUREBITS, libc::PR_GET_SECUREBITS),
        (libc::PR_SET_NO_NEW_PRIVS, libc::PR_GET_NO_NEW_PRIVS),
        (libc::PR_SET_TIMERSLACK, libc::PR_GET_TIMERSLACK),
        (libc::PR_MCE_KILL, -1),
        (SET_IO_FLUSHER, GET_IO_FLUSHER),
    ];
    let result = match option {
        libc::PR_CAPBSET_DROP => {
            // SAFETY: takes no pointers.
            match unsafe { sys!(SYS_prctl, libc::PR_CAPBSET_READ, value, 0, 0, 0) } {
                Ok(1) => make_unless_alone(call),
                _ => call.raw(),
            }
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        libc::PR_CAP_AMBIENT if value as i32 == libc::PR_CAP_AMBIENT_IS_SET => call.raw(),
        libc::PR_CAP_AMBIENT | libc::PR_SET_SPECULATION_CTRL => make_unless_alone(call),
        // Back to what it was at first, which a thread that carries others has.
        libc::PR_SET_TIMERSLACK if value == 0 => call.raw(),
        libc::PR_SET_SECCOMP if value == MODE_STRICT => strict::enter(call),
        libc::PR_SET_SECCOMP if value != MODE_FILTER => Err(Errno::INVAL),
        libc::PR_SET_SECCOMP if call.args[2] == 0 => call.raw(),
        libc::PR_SET_SECCOMP | libc::PR_SET_TSC => make(call),
        option => {
            let (_, get) = SETTERS.iter().find(|(set, _)| *set == option)?;
            // SAFETY: takes no pointers.
            let now = unsafe { sys!(SYS_prctl, *get, 0, 0, 0, 0) };
            if now == Ok(value) {
                call.raw()
            } else if identity::is_for_all(option) {
                make_unless_alone(call)
            } else {
                make(call)
            }
        }
    };
    Some(result)
}
