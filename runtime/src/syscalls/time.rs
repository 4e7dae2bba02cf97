//! Sleeping.

use super::{clock, Call};
use crate::future::{sleep_until, Woken};
use crate::pool;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};

/// Nanoseconds as a timespec.
#[allow(clippy::cast_possible_wrap)]
pub(crate) fn timespec(ns: u64) -> libc::timespec {
    libc::timespec {
        tv_sec: (ns / 1_000_000_000) as i64,
        tv_nsec: (ns % 1_000_000_000) as i64,
    }
}

/// A timespec as nanoseconds; what does not fit is for ever.
///
/// # Errors
/// `EINVAL` for negative times and nanoseconds beyond a second.
pub(crate) fn nanoseconds(time: libc::timespec) -> Result<u64, Errno> {
    if time.tv_sec < 0 || !(0..1_000_000_000).contains(&time.tv_nsec) {
        return Err(Errno::INVAL);
    }
    Ok((time.tv_sec as u64)
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec as u64))
}

/// The moment (CLOCK_MONOTONIC ns) a duration from now.
///
/// # Errors
/// As [`nanoseconds`].
pub(crate) fn deadline_after(time: libc::timespec) -> Result<u64, Errno> {
    Ok(sys::now(libc::CLOCK_MONOTONIC).saturating_add(nanoseconds(time)?))
}

/// The moment (CLOCK_MONOTONIC ns) at which a clock will show a time.
///
/// # Errors
/// As [`nanoseconds`].
pub(crate) fn deadline_at(clock: libc::clockid_t, time: libc::timespec) -> Result<u64, Errno> {
    let when = nanoseconds(time)?;
    if clock == libc::CLOCK_MONOTONIC {
        return Ok(when);
    }
    Ok(sys::now(libc::CLOCK_MONOTONIC).saturating_add(when.saturating_sub(sys::now(clock))))
}

/// nanosleep(2).
pub(crate) async fn nanosleep(
    call: Call,
    request: *const libc::timespec,
    left: *mut libc::timespec,
) -> SysResult {
    // SAFETY: the program's timespec.
    let deadline = deadline_after(unsafe { read_user(request) }?)?;
    sleeping(call, deadline, left).await
}

/// clock_nanosleep(2). The error comes back as the result, as from every system call; libc turns the sign.
pub(crate) async fn clock_nanosleep(
    call: Call,
    id: i32,
    flags: i32,
    request: *const libc::timespec,
    left: *mut libc::timespec,
) -> SysResult {
    let absolute = flags & libc::TIMER_ABSTIME != 0;
    match id {
        libc::CLOCK_REALTIME | libc::CLOCK_MONOTONIC | libc::CLOCK_BOOTTIME | libc::CLOCK_TAI => {}
        _ => match clock::task_of(call, id) {
            Some(task) => return clock::nanosleep(call, task, absolute, request, left).await,
            // The process's CPU clock and alarms: the kernel's own affair. Unknown ones: its errors.
            None => return pool::wait_there(call.task, call.number, call.args).await,
        },
    }
    // SAFETY: the program's timespec.
    let request = unsafe { read_user(request) }?;
    if !absolute {
        return sleeping(call, deadline_after(request)?, left).await;
    }
    nanoseconds(request)?;
    loop {
        // A clock that is set meanwhile: look again at least every second.
        let when = deadline_at(id, request)?;
        let now = sys::now(libc::CLOCK_MONOTONIC);
        if when <= now {
            return Ok(0);
        }
        let step = if id == libc::CLOCK_MONOTONIC {
            when
        } else {
            when.min(now + 1_000_000_000)
        };
        if sleep_until(call.task, step).await == Woken::Signal
            && sys::now(libc::CLOCK_MONOTONIC) < when
        {
            return Err(Errno::RESTART_NOHAND);
        }
    }
}

async fn sleeping(call: Call, deadline: u64, left: *mut libc::timespec) -> SysResult {
    match sleep_until(call.task, deadline).await {
        Woken::Signal => {
            let rest = deadline.saturating_sub(sys::now(libc::CLOCK_MONOTONIC));
            if rest == 0 {
                // As in the kernel a sleep that is over is not interrupted: else signals that come fast enough would keep it from ending.
                return Ok(0);
            }
            if !left.is_null() {
                // SAFETY: the program's timespec.
                unsafe { write_user(left, timespec(rest)) }?;
            }
            Err(Errno::RESTART_NOHAND)
        }
        _ => Ok(0),
    }
}
