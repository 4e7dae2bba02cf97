//! Clocks of a thread's CPU time: clock_gettime(2) and its kin, and getrusage(2). All other clocks are the kernel's own affair.

use super::time::{nanoseconds, timespec};
use super::Call;
use crate::future::{sleep_until, Woken};
use crate::hub::cpu;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task::{self, Task};

/// The clocks that have a number of their own are below (`MAX_CLOCKS`).
const FIXED: std::ops::Range<i32> = 0..16;
/// `CPUCLOCK_PERTHREAD_MASK`, `CPUCLOCK_CLOCK_MASK` and `CPUCLOCK_MAX` of the kernel's `posix-timers_types.h`.
const PER_THREAD: i32 = 4;
const KIND: i32 = 3;
const KINDS: i32 = 3;

/// So much of an id is in a clock's number. A task's has a bit more, which is of its generation: there is one task that it can be.
const BITS: i32 = 29;

/// Whose CPU time a thread's clock tells, as the kernel reads its number (`~id << 3 | PER_THREAD | kind`): 0 is the caller. `None`: it is no
/// thread's.
///
/// All kinds (`PROF`, `VIRT`, `SCHED`) tell the same here: libc makes the last one only.
fn id_in(clock: i32) -> Option<i32> {
    if clock == libc::CLOCK_THREAD_CPUTIME_ID {
        return Some(0);
    }
    let is_thread = !FIXED.contains(&clock) && clock & PER_THREAD != 0 && clock & KIND < KINDS;
    is_thread.then_some(!(clock >> 3) & ((1 << BITS) - 1))
}

/// The task whose CPU time a clock tells. `None`: it is the kernel's, or nobody's.
pub(super) fn task_of(call: Call, clock: i32) -> Option<&'static Task> {
    match id_in(clock)? {
        0 => Some(call.task),
        id => [id, id | 1 << BITS].into_iter().find_map(task::find),
    }
}

/// Whether the kernel takes a clock for that of the calling thread, which has this id.
pub(super) fn is_callers(clock: i32, id: i32) -> bool {
    id_in(clock).is_some_and(|named| named == 0 || named == id)
}

/// The clock of the OS thread that asks, which the kernel answers for as it would for a task's.
fn of_caller(clock: i32) -> i32 {
    if clock == libc::CLOCK_THREAD_CPUTIME_ID {
        clock
    } else {
        !0 << 3 | clock & 7
    }
}

/// clock_gettime(2).
pub(crate) fn gettime(call: Call, clock: i32, time: *mut libc::timespec) -> SysResult {
    match task_of(call, clock) {
        // SAFETY: the program's timespec.
        Some(task) => unsafe { write_user(time, timespec(cpu::time(task))) }.map(|()| 0),
        None => call.raw(),
    }
}

/// clock_getres(2).
pub(crate) fn getres(call: Call, clock: i32, resolution: usize) -> SysResult {
    match task_of(call, clock) {
        // SAFETY: the program's timespec, or none.
        Some(_) => unsafe { sys!(SYS_clock_getres, of_caller(clock), resolution) },
        None => call.raw(),
    }
}

/// clock_settime(2), which the kernel has good reasons to refuse.
pub(crate) fn settime(call: Call, clock: i32, time: usize) -> SysResult {
    match task_of(call, clock) {
        // SAFETY: the program's timespec.
        Some(_) => unsafe { sys!(SYS_clock_settime, of_caller(clock), time) },
        None => call.raw(),
    }
}

/// clock_nanosleep(2) by the clock of this task. "EINVAL: clockid was invalid or a CLOCK_THREAD_CPUTIME_ID."
pub(super) async fn nanosleep(
    call: Call,
    of: &'static Task,
    is_absolute: bool,
    request: *const libc::timespec,
    left: *mut libc::timespec,
) -> SysResult {
    /// How much of the other's time may pass unnoticed, in ns.
    const STEP: u64 = 1_000_000;
    const SECOND: u64 = 1_000_000_000;
    if call.args[0] == libc::CLOCK_THREAD_CPUTIME_ID as usize {
        // Libc's EINVAL, the kernel's EOPNOTSUPP.
        return call.raw();
    }
    // SAFETY: the program's timespec.
    let request = nanoseconds(unsafe { read_user(request) }?)?;
    if std::ptr::eq(of, call.task) {
        return Err(Errno::INVAL);
    }
    let id = of.id();
    // A thread that has ended gets no further: as in Linux one sleeps on.
    let shows = || task::find(id).map_or(0, cpu::time);
    let when = if is_absolute {
        request
    } else {
        shows().saturating_add(request)
    };
    loop {
        let rest = when.saturating_sub(shows());
        if rest == 0 {
            return Ok(0);
        }
        // The clock of one thread is not faster than time itself.
        let next = sys::now(libc::CLOCK_MONOTONIC) + rest.clamp(STEP, SECOND);
        if sleep_until(call.task, next).await == Woken::Signal {
            if !is_absolute && !left.is_null() {
                // SAFETY: the program's timespec.
                unsafe { write_user(left, timespec(rest)) }?;
            }
            return Err(Errno::RESTART_NOHAND);
        }
    }
}

/// getrusage(2). Of a task (`RUSAGE_THREAD`) its CPU time is known, and no more: so all else is the process's, and that is also how the time is
/// divided into the program's and the kernel's. What was divided once stays so: neither part ever goes backwards.
pub(crate) fn getrusage(call: Call, who: i32, usage: *mut libc::rusage) -> SysResult {
    if who != libc::RUSAGE_THREAD {
        return call.raw();
    }
    let mut told = sys::usage(libc::RUSAGE_SELF)?;
    let [user, kernel] = [told.ru_utime, told.ru_stime].map(sys::microseconds);
    let (total, in_kernel) = call.task.usage.get();
    let now = total.max(cpu::time(call.task) / 1000);
    let share = u128::from(now - total) * u128::from(kernel) / u128::from((user + kernel).max(1));
    #[allow(clippy::cast_possible_truncation)]
    let in_kernel = in_kernel + share as u64;
    call.task.usage.set((now, in_kernel));
    told.ru_utime = timeval(now - in_kernel);
    told.ru_stime = timeval(in_kernel);
    // SAFETY: the program's struct.
    unsafe { write_user(usage, told) }.map(|()| 0)
}

/// Microseconds as a timeval.
#[allow(clippy::cast_possible_wrap)]
fn timeval(us: u64) -> libc::timeval {
    libc::timeval {
        tv_sec: (us / 1_000_000) as i64,
        tv_usec: (us % 1_000_000) as i64,
    }
}
