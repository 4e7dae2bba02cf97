//! `SECCOMP_MODE_STRICT` (seccomp(2)): a thread that may only read, write, return from handlers and end itself. Any other call kills it, and nobody else.
//!
//! The kernel cannot be asked to do it: the library makes other calls on the thread, for this task or for others. So it is done where calls are answered, which
//! all of them are then: none is left to the crossing any more. What neither door catches is not seen; but a thread that shares its memory with others never
//! was a wall.

use super::{robust, table, thread, Call, Outcome};
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task;

const ALLOWED: [i64; 4] = [
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_exit,
    libc::SYS_rt_sigreturn,
];

/// Begins it, for ever.
///
/// # Errors
/// `EINVAL` for a thread that has a filter.
pub(super) fn enter(call: Call) -> SysResult {
    // SAFETY: takes no pointers.
    if unsafe { sys!(SYS_prctl, libc::PR_GET_SECCOMP) } != Ok(0) {
        return Err(Errno::INVAL);
    }
    table::leave_none_to_the_crossing();
    call.task.strict.set(true);
    super::there_is_an_unusual_task();
    Ok(0)
}

/// Whether a call is one for which the caller is to be killed.
pub(super) fn forbids(call: Call) -> bool {
    call.task.strict.get() && !ALLOWED.contains(&(call.number as i64))
}

/// The end of such a task; of the process, if it is the last.
#[cold]
pub(super) fn kill(call: Call) -> Outcome {
    thread::begin_to_end(call.task);
    if !task::count_out_unless_last() {
        robust::process_ends();
        // SAFETY: ends the process.
        let _ = unsafe { sys!(SYS_kill, sys::process_id(), libc::SIGKILL) };
    }
    thread::end(call.task)
}
