//! Message queues and semaphores: POSIX ones, which are descriptors that can be polled, and System V ones, which are not.
//!
//! Both are tried first in a form that cannot wait. A task that must wait for a POSIX queue waits for its readiness. One that must wait
//! in a System V call waits on a thread of the pool's, in the kernel's own queue: so the order of the waiters, `GETNCNT`, `GETZCNT`,
//! `EIDRM` and what other processes see are the kernel's.

use super::close::Held;
use super::{time, wait_fd, Call};
use crate::hub::readiness::{READ, WRITE};
use crate::pool;
use crate::signal;
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};

/// mq_timedreceive(2).
pub(crate) async fn mq_timedreceive(
    call: Call,
    queue: i32,
    _message: usize,
    _length: usize,
    _priority: usize,
    timeout: *const libc::timespec,
) -> SysResult {
    mq_timed(call, queue, timeout, READ).await
}

/// mq_timedsend(2).
pub(crate) async fn mq_timedsend(
    call: Call,
    queue: i32,
    _message: usize,
    _length: usize,
    _priority: usize,
    timeout: *const libc::timespec,
) -> SysResult {
    mq_timed(call, queue, timeout, WRITE).await
}

/// mq_notify(2).
pub(crate) fn mq_notify(call: Call) -> SysResult {
    signal::calls_raise();
    call.raw()
}

/// A deadline that has passed makes either call a try: it says `ETIMEDOUT` where it would wait, and `EAGAIN` if the program
/// wants the queue not to block.
async fn mq_timed(
    call: Call,
    queue: i32,
    timeout: *const libc::timespec,
    interest: u32,
) -> SysResult {
    let until = if timeout.is_null() {
        None
    } else {
        // SAFETY: the program's timespec.
        Some(unsafe { read_user(timeout) }?)
    };
    let deadline = match until {
        Some(time) => time::deadline_at(libc::CLOCK_REALTIME, time)?,
        None => u64::MAX,
    };
    let past = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let file = Held::new(queue);
    let mut waited = false;
    loop {
        let mut args = call.args;
        args[4] = &raw const past as usize;
        let result = file.with(|fd| {
            args[0] = fd as usize;
            // SAFETY: the program's call, on the same file, without the wait.
            sys::check(unsafe { sys::syscall_raw(call.number, args) })
        })?;
        match result {
            Err(Errno::TIMEDOUT) => {}
            // O_NONBLOCK was set meanwhile: natively that is nothing to a call which waits already.
            Err(Errno::AGAIN) if waited => {}
            result => return result,
        }
        if !file.hold() {
            continue;
        }
        waited = true;
        match wait_fd(call, &file, interest, deadline, Errno::RESTART_SYS).await {
            Ok(()) => {}
            Err(Errno::AGAIN) => return Err(Errno::TIMEDOUT),
            Err(e) => return Err(e),
        }
    }
}

/// semop(2).
pub(crate) async fn semop(
    call: Call,
    set: i32,
    operations: *const libc::sembuf,
    count: usize,
) -> SysResult {
    semaphores(call, set, operations, count, u64::MAX).await
}

/// semtimedop(2).
pub(crate) async fn semtimedop(
    call: Call,
    set: i32,
    operations: *const libc::sembuf,
    count: usize,
    timeout: *const libc::timespec,
) -> SysResult {
    let deadline = if timeout.is_null() {
        u64::MAX
    } else {
        // SAFETY: the program's timespec.
        time::deadline_after(unsafe { read_user(timeout) }?)?
    };
    semaphores(call, set, operations, count, deadline).await
}

async fn semaphores(
    call: Call,
    set: i32,
    operations: *const libc::sembuf,
    count: usize,
    deadline: u64,
) -> SysResult {
    /// More than that is `E2BIG` (`SEMOPM`, which can be set), and no operation at all `EINVAL`: the kernel's to say.
    const MOST: usize = 500;
    if !(1..=MOST).contains(&count) {
        return super::waits_in_pool(call).await;
    }
    // SAFETY: the program's operations.
    let operations = (0..count)
        .map(|i| unsafe { read_user(operations.add(i)) })
        .collect::<Result<Vec<_>, _>>()?;
    let attempt = move || {
        let mut now = operations.clone();
        for operation in &mut now {
            #[allow(clippy::cast_possible_truncation)]
            {
                operation.sem_flg |= libc::IPC_NOWAIT as libc::c_short;
            }
        }
        // SAFETY: our copy of the program's operations; none of them waits.
        match unsafe { sys!(SYS_semop, set, now.as_ptr(), count) } {
            // The operation that cannot be done may have had IPC_NOWAIT anyway: the real call tells.
            Err(Errno::AGAIN) if sys::now(libc::CLOCK_MONOTONIC) < deadline => None,
            result => Some(result),
        }
    };
    pool::wait(call.task, call.number, call.args, attempt).await
}

/// msgsnd(2).
pub(crate) async fn msgsnd(
    call: Call,
    _queue: i32,
    _message: usize,
    _length: usize,
    flags: i32,
) -> SysResult {
    message(call, 3, flags, Errno::AGAIN).await
}

/// msgrcv(2).
pub(crate) async fn msgrcv(
    call: Call,
    _queue: i32,
    _message: usize,
    _length: usize,
    _kind: isize,
    flags: i32,
) -> SysResult {
    message(call, 4, flags, Errno(libc::ENOMSG)).await
}

/// A call with flags at `at` that says `would_wait` under IPC_NOWAIT.
async fn message(call: Call, at: usize, flags: i32, would_wait: Errno) -> SysResult {
    if flags & libc::IPC_NOWAIT != 0 {
        return call.raw();
    }
    let attempt = || {
        let mut args = call.args;
        args[at] |= libc::IPC_NOWAIT as usize;
        // SAFETY: the program's call, without the wait.
        match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
            Err(e) if e == would_wait => None,
            result => Some(result),
        }
    };
    pool::wait(call.task, call.number, call.args, attempt).await
}
