//! Credentials: setuid(2) and its kin.
//!
//! In Linux each thread has its own, and POSIX wants the process to have one. libc makes up for it: its setuid sends every other thread a
//! signal in whose handler that thread makes the same call, and makes it itself last. All of this happens here, too, task by task.
//! What it does not reach are the threads under the tasks. So the first of these calls that is made in a handler is made [everywhere],
//! and so is the last, the caller's own. (libc's calls give the same when they are made again.) Those between find it done.

use super::Call;
use crate::everywhere;
use crate::signal::bit;
use crate::sys::SysResult;
use crate::task::lock;
use std::sync::atomic::Ordering;
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
