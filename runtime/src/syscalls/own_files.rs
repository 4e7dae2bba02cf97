//! Descriptors of a task's own: after unshare(2) with `CLONE_FILES`, or close_range(2) with `CLOSE_RANGE_UNSHARE`.
//!
//! Such a task has an OS thread of its own ([`super::apart`]), and that thread a table of descriptors. What the runtime knows of descriptors it knows by
//! their numbers in the others' table, and its own descriptors are in that. So none of it is used here: a call about descriptors is made as it is, and
//! waits in the kernel, where nobody waits behind it. The thread opens none for the runtime, either, and cannot ring another hub's bell: it has the
//! receiver do it ([`crate::signal::receiver::ring_for`]).
//!
//! A signalfd of such a task tells of the process's signals only: those for the task itself are the runtime's.

use super::file::{self, Direction};
use super::poll::{Masked, NO_TIME};
use super::table::{self, Family};
use super::{apart, Call, Outcome};
use crate::hub::world;
use crate::own;
use crate::pool;
use crate::signal::Lent;
use crate::sys::{self, Errno, SysResult};
use crate::task;
use std::ptr;

/// Makes a call that gives the task a table of its own.
pub(super) fn make(call: Call) -> SysResult {
    apart::demand(call)?;
    let hub = call.hub();
    if hub.has_own_files() {
        return call.raw();
    }
    hub.let_go_of_files();
    // So that nobody makes or closes a descriptor of the runtime's between the copy and its cleaning.
    let stopped = world::stop(hub.worker());
    let made = call.raw();
    if made.is_ok() {
        own::close_ranges(&own::ranges());
        hub.set_own_files();
        super::there_is_an_unusual_task();
    }
    drop(stopped);
    made
}

/// unshare(2) with `CLONE_FILES`.
pub(super) fn unshare(mut call: Call, flags: i32) -> SysResult {
    if task::alive() > 1 {
        return make(call);
    }
    // Nobody shares them but the library.
    call.args[0] = (flags & !libc::CLONE_FILES) as usize;
    match call.args[0] {
        0 => Ok(0),
        rest => apart::unshare(call, rest as i32),
    }
}

/// Calls about descriptors in other families than those that are about nothing else.
const OTHERS: [i64; 5] = [
    libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive,
    libc::SYS_mq_notify,
    libc::SYS_signalfd,
    libc::SYS_signalfd4,
];

/// Answers a call of a task that has descriptors of its own; `None`: it is about something else.
pub(super) fn answer(call: Call) -> Option<Outcome> {
    let family = table::row(call.number)?.family;
    let is_about_files = matches!(family, Family::File | Family::Poll | Family::Socket);
    (is_about_files || OTHERS.contains(&(call.number as i64)))
        .then(|| super::cooperate(in_kernel, call))
}

async fn in_kernel(call: Call) -> SysResult {
    let masked = |mask: usize, size| {
        // SAFETY: the program's mask.
        unsafe { Masked::set(call, mask as *const u64, size) }
    };
    let mut plain = call;
    let masked = match call.number as i64 {
        libc::SYS_poll | libc::SYS_select | libc::SYS_epoll_wait => masked(0, 0),
        libc::SYS_ppoll => {
            plain.args[3] = 0;
            masked(call.args[3], call.args[4])
        }
        libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => {
            plain.args[4] = 0;
            masked(call.args[4], call.args[5])
        }
        libc::SYS_pselect6 => {
            plain.args[5] = 0;
            Masked::of_pselect(call)
        }
        _ => return waiting(call).await,
    }?;
    let interrupted = match call.number as i64 {
        libc::SYS_epoll_wait | libc::SYS_epoll_pwait | libc::SYS_epoll_pwait2 => Errno::INTR,
        _ => Errno::RESTART_NOHAND,
    };
    let result = match ready(plain) {
        Ok(0) => pool::wait_there(plain.task, plain.number, plain.args).await,
        found => found,
    };
    let result = result.map_err(|e| if e.is_restart() { interrupted } else { e });
    masked.end(result, interrupted);
    result
}

/// What is ready already, which comes before signals. 0 also from select(2) and its kin, whose sets a look would change.
fn ready(mut call: Call) -> SysResult {
    let no_time = ptr::from_ref(&NO_TIME) as usize;
    match call.number as i64 {
        libc::SYS_poll => call.args[2] = 0,
        libc::SYS_ppoll => call.args[2] = no_time,
        libc::SYS_epoll_wait | libc::SYS_epoll_pwait => call.args[3] = 0,
        libc::SYS_epoll_pwait2 => call.args[3] = no_time,
        _ => return Ok(0),
    }
    let _lent = Lent::all(call.task);
    sys::despite_kicks(|| call.raw())
}

/// A call that is no poll.
async fn waiting(call: Call) -> SysResult {
    let result = pool::wait_there(call.task, call.number, call.args).await;
    match result {
        // socket(7): with a time-out it is not made again.
        Err(Errno::RESTART_SYS) if has_time_out(call) => Err(Errno::INTR),
        result => result,
    }
}

/// Whether a call is on a socket that has a time-out for it.
fn has_time_out(call: Call) -> bool {
    let direction = match call.number as i64 {
        libc::SYS_read
        | libc::SYS_readv
        | libc::SYS_recvfrom
        | libc::SYS_recvmsg
        | libc::SYS_recvmmsg
        | libc::SYS_accept
        | libc::SYS_accept4 => Direction::Read,
        libc::SYS_write
        | libc::SYS_writev
        | libc::SYS_sendto
        | libc::SYS_sendmsg
        | libc::SYS_sendmmsg
        | libc::SYS_connect => Direction::Write,
        _ => return false,
    };
    file::deadline(call.args[0] as i32, direction) != u64::MAX
}
