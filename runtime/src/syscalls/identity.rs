//! Credentials: setuid(2) and its kin.
//!
//! In Linux each thread has its own, and POSIX wants the process to have one. libc makes up for it: its setuid sends every other thread a
//! signal in whose handler that thread makes the same call, and makes it itself last. All of this happens here, too, task by task.
//! What it does not reach are the threads under the tasks. So the first of these calls that is made in a handler is made [everywhere],
//! and so is the last, the caller's own. (libc's calls give the same when they are made again.) Those between find it done.

//! What else belongs to a thread's credentials, and to what it may do and its children get (capabilities, `no_new_privs`, Landlock,
//! personality …), is one thread's in Linux. Tasks share the threads under them, so here it is the process's, always: what one
//! task gives up no task has.

use super::Call;
use crate::everywhere;
use crate::signal::bit;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task::lock;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::Mutex;

/// libc's signal for this (`SIGSETXID`).
const SETXID: i32 = 33;

/// A call: its number and arguments.
type Made = (usize, [usize; 3]);

/// What was made everywhere for handlers that run now.
static MADE: Mutex<Option<(Made, usize)>> = Mutex::new(None);

/// setuid(2), setgid(2), setreuid(2), setregid(2), setresuid(2), setresgid(2), setgroups(2).
pub(crate) fn set_ids(call: Call) -> SysResult {
    let [a, b, c, ..] = call.args;
    let this = (call.number, [a, b, c]);
    // Blocked while its handler runs, and at no other time when such a call is made.
    let in_handler = call.task.mask.load(Ordering::Relaxed) & bit(SETXID) != 0;
    let made = in_handler.then(|| *lock(&MADE)).flatten();
    if let Some((_, result)) = made.filter(|(made, _)| *made == this) {
        return Ok(result);
    }
    let result = everywhere::call(call.number, call.args)?;
    *lock(&MADE) = in_handler.then_some((this, result));
    Ok(result)
}

/// capset(2), of the caller.
pub(crate) fn capset(call: Call, header: *const [i32; 2], _data: usize) -> SysResult {
    about_caller(call, header, |args| everywhere::call(call.number, args))
}

/// capget(2).
pub(crate) fn capget(call: Call, header: *const [i32; 2], _data: usize) -> SysResult {
    about_caller(call, header, |args| {
        // SAFETY: the program's call, about the calling thread.
        sys::check(unsafe { sys::syscall_raw(call.number, args) })
    })
}

/// Makes a call of which the `header` (a version and a process id) may name the caller by its id: 0 means it, too, and the kernel knows that.
fn about_caller(
    call: Call,
    header: *const [i32; 2],
    make: impl FnOnce([usize; 6]) -> SysResult,
) -> SysResult {
    // SAFETY: the program's header.
    let [version, id] = unsafe { read_user(header) }?;
    let own = [version, 0];
    let mut args = call.args;
    if id == call.task.id() {
        args[0] = own.as_ptr() as usize;
    }
    make(args)
}

/// personality(2): 0xffffffff only asks.
pub(crate) fn personality(call: Call, persona: u32) -> SysResult {
    if persona == u32::MAX {
        call.raw()
    } else {
        everywhere(call)
    }
}

/// Calls that are one thread's in Linux and the process's here.
pub(crate) fn everywhere(call: Call) -> SysResult {
    everywhere::call(call.number, call.args)
}

/// Whether what an option of prctl(2) sets is one thread's in Linux and the process's here.
pub(crate) fn is_for_all(option: i32) -> bool {
    [
        libc::PR_SET_KEEPCAPS,
        libc::PR_CAPBSET_DROP,
        libc::PR_SET_SECUREBITS,
        libc::PR_SET_NO_NEW_PRIVS,
        libc::PR_CAP_AMBIENT,
        libc::PR_SET_SPECULATION_CTRL,
    ]
    .contains(&option)
}

/// What [`set_death_signal`] set; -1: nothing yet.
static DEATH_SIGNAL: AtomicI32 = AtomicI32::new(-1);

/// prctl(2), `PR_SET_PDEATHSIG`: every thread that has it sends it when the parent dies, so one has it.
pub(crate) fn set_death_signal(call: Call, signal: i32) -> SysResult {
    call.raw()?;
    let mut clear = call.args;
    clear[1] = 0;
    everywhere::call(call.number, clear)?;
    DEATH_SIGNAL.store(signal, Ordering::Relaxed);
    call.raw()
}

/// prctl(2), `PR_GET_PDEATHSIG`.
pub(crate) fn death_signal(call: Call, to: *mut i32) -> SysResult {
    match DEATH_SIGNAL.load(Ordering::Relaxed) {
        -1 => call.raw(),
        // SAFETY: the program's word.
        signal => unsafe { write_user(to, signal) }.map(|()| 0),
    }
}

/// unshare(2): a table of descriptors, or a working directory, of one's own is what hubs cannot have: all tasks use them.
pub(crate) fn unshare(call: Call, flags: i32) -> SysResult {
    if flags & (libc::CLONE_FILES | libc::CLONE_FS) != 0 {
        tracing::warn!("unshare of descriptors or of the working directory is not supported for threads: EINVAL");
        return Err(Errno::INVAL);
    }
    call.raw()
}

/// In a forked child that begins anew: the parent's wish was not inherited.
pub(crate) fn reset() {
    DEATH_SIGNAL.store(-1, Ordering::Relaxed);
    *lock(&MADE) = None;
}
