//! Credentials: setuid(2) and its kin.
//!
//! In Linux each thread has its own, and POSIX wants the process to have one. libc makes up for it: its setuid sends every other thread a
//! signal in whose handler that thread makes the same call, and makes it itself last. All of this happens here, too, task by task.
//! What it does not reach are the threads under the tasks. So the first of these calls is made [everywhere], and the others, of which the last
//! is the caller's own, find it done. Each thread makes it once: made again it may do more, as a setuid(0) that has just given the right to it.
//!
//! The same calls made otherwise, by syscall(2) or in the program's own code, are for the thread that makes them, and so are all the others that
//! belong to its credentials: see [`super::apart`]. libc's are known by the place that they come from.

use super::{apart, Call};
use crate::everywhere;
use crate::hub;
use crate::objects;
use crate::signal::bit;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task::{self, lock};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::sync::Mutex;

/// libc's signal for this (`SIGSETXID`).
const SETXID: i32 = 33;

/// A call: its number and arguments.
type Made = (usize, [usize; 3]);

/// What was made everywhere for handlers that run now.
static MADE: Mutex<Option<(Made, usize)>> = Mutex::new(None);

/// Where libc's code begins and ends, and where its syscall(2) begins.
static LIBC: [AtomicUsize; 3] = [const { AtomicUsize::new(0) }; 3];

/// Finds libc's code. At conversion, and not again in a forked child: the parent may have been loading an object, and to ask the loader for one ends
/// the process then.
pub(crate) fn prepare() {
    if LIBC[0].load(Ordering::Relaxed) != 0 {
        return;
    }
    // SAFETY: libc's own function, whoever else has one of that name, is only looked at.
    let syscall = unsafe {
        let libc = libc::dlopen(c"libc.so.6".as_ptr(), libc::RTLD_LAZY | libc::RTLD_NOLOAD);
        if libc.is_null() {
            return;
        }
        libc::dlsym(libc, c"syscall".as_ptr()) as usize
    };
    let code = objects::find(|object| object.segment_of(syscall)).unwrap_or(0..0);
    for (word, value) in LIBC.iter().zip([code.start, code.end, syscall]) {
        word.store(value, Ordering::Relaxed);
    }
}

/// Whether a call was made by one of libc's own functions, and not through its syscall(2).
fn is_libcs(call: Call) -> bool {
    /// That function is less than this, as is whatever comes after it and makes no such call.
    const SYSCALL: usize = 64;
    let at = call.task.context().regs.rip as usize;
    let at = (hub::crossing().original)(at).unwrap_or(at);
    let [start, end, syscall] = [0, 1, 2].map(|i| LIBC[i].load(Ordering::Relaxed));
    // Unknown: better that a thread changes all than that a process keeps rights which it gives up.
    end == 0 || (start..end).contains(&at) && !(syscall..syscall + SYSCALL).contains(&at)
}

/// setuid(2), setgid(2), setreuid(2), setregid(2), setresuid(2), setresgid(2), setgroups(2).
pub(crate) fn set_ids(call: Call) -> SysResult {
    let [a, b, c, ..] = call.args;
    let this = (call.number, [a, b, c]);
    // Blocked while its handler runs, and at no other time when such a call is made.
    let in_handler = call.task.mask.load(Ordering::Relaxed) & bit(SETXID) != 0;
    // What the program asks for by itself is the thread's own, as in Linux. (Before glibc 2.34 libc's calls came from libpthread.)
    let is_libcs = in_handler || is_libcs(call);
    // Held until it is made: on other hubs others are about to make it.
    let mut made = lock(&MADE);
    if let Some((_, result)) = made.filter(|(made, _)| *made == this && is_libcs) {
        if !in_handler {
            *made = None;
        }
        return Ok(result);
    }
    if !is_libcs && (task::alive() > 1 || call.hub().is_lone()) {
        return apart::make(call);
    }
    let (result, same) = everywhere::call_compared(call.number, call.args)?;
    *made = in_handler.then_some((this, result));
    // A task with rights of its own had not that right. Where its handler came before, libc knows; else it is told. It aborts.
    if !same && in_handler {
        return Err(Errno(libc::EPERM));
    }
    Ok(result)
}

/// capset(2), of the caller.
pub(crate) fn capset(call: Call, header: *const [i32; 2], _data: usize) -> SysResult {
    about_caller(call, header, |args| {
        if task::alive() == 1 && !call.hub().is_lone() {
            return everywhere::call(call.number, args);
        }
        apart::demand(call)?;
        // SAFETY: the program's call, about the calling thread.
        sys::check(unsafe { sys::syscall_raw(call.number, args) })
    })
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

/// For a task that is alone: makes a call on all threads, so that whoever comes to run something for it has what it has.
pub(super) fn everywhere(call: Call) -> SysResult {
    everywhere::call(call.number, call.args)
}

/// Whether an option of prctl(2) sets something that [`everywhere`] can make.
pub(super) fn is_for_all(option: i32) -> bool {
    [
        libc::PR_SET_KEEPCAPS,
        libc::PR_SET_SECUREBITS,
        libc::PR_SET_NO_NEW_PRIVS,
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

/// In a forked child that begins anew: the parent's wish was not inherited.
pub(crate) fn reset() {
    DEATH_SIGNAL.store(-1, Ordering::Relaxed);
    *lock(&MADE) = None;
}
