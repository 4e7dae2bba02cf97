//! poll, select and epoll: asked without waiting, and asked again whenever something may have happened.

use super::Call;
use crate::future::{self, Woken};
use crate::hub::readiness::{AnyReady, Ready, ANY, READ, WRITE};
use crate::signal;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::syscalls::time;

/// Whether a descriptor is ready for `events` this moment.
pub(crate) fn ready_now(fd: i32, events: i16) -> bool {
    let mut one = libc::pollfd {
        fd,
        events,
        revents: 0,
    };
    let none = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: one entry, no wait.
    unsafe { sys!(SYS_ppoll, &mut one, 1, &none, 0, 0) }.unwrap_or(0) > 0
}

/// poll(2): the time-out is in milliseconds; negative: none.
pub(crate) async fn poll(
    call: Call,
    fds: *mut libc::pollfd,
    count: usize,
    timeout: i32,
) -> SysResult {
    let deadline = deadline_in(timeout);
    polling(call, fds, count, deadline).await
}

/// ppoll(2).
pub(crate) async fn ppoll(
    call: Call,
    fds: *mut libc::pollfd,
    count: usize,
    timeout: *mut libc::timespec,
    mask: *const u64,
) -> SysResult {
    let deadline = deadline_of(timeout)?;
    // SAFETY: the program's mask.
    if let Some(mask) = unsafe { mask_of(mask, call.args[4]) }? {
        signal::mask_for_call(call.task, mask);
    }
    let result = polling(call, fds, count, deadline).await;
    write_back(timeout, deadline, result)
}

/// The deadline that a time-out in milliseconds sets: 0 for "do not wait"; negative: none.
fn deadline_in(timeout: i32) -> u64 {
    match u64::try_from(timeout) {
        Ok(0) => 0,
        Ok(ms) => sys::now(libc::CLOCK_MONOTONIC) + ms * 1_000_000,
        Err(_) => u64::MAX,
    }
}

/// The deadline that a time-out sets: 0 for "do not wait".
fn deadline_of(timeout: *const libc::timespec) -> Result<u64, Errno> {
    if timeout.is_null() {
        return Ok(u64::MAX);
    }
    // SAFETY: the program's timespec.
    match unsafe { read_user(timeout) }? {
        libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        } => Ok(0),
        time => time::deadline_after(time),
    }
}

/// # Safety
/// A non-null `mask` must be readable if it looks like an address.
unsafe fn mask_of(mask: *const u64, size: usize) -> Result<Option<u64>, Errno> {
    if mask.is_null() {
        return Ok(None);
    }
    if size != 8 {
        return Err(Errno::INVAL);
    }
    // SAFETY: the caller's promise.
    unsafe { read_user(mask) }.map(Some)
}

/// ppoll and pselect6 leave the time that was left in the program's timespec (the libc wrappers hide that).
fn write_back(timeout: *mut libc::timespec, deadline: u64, result: SysResult) -> SysResult {
    if deadline != u64::MAX && deadline != 0 && !timeout.is_null() {
        let left = deadline.saturating_sub(sys::now(libc::CLOCK_MONOTONIC));
        // SAFETY: read before from the same place. It may be read-only memory in a program, where the kernel ignores the fault:
        // so only touch it when the value differs, which it does not for a constant that was never waited on.
        let _ = unsafe { write_user(timeout, time::timespec(left)) };
    }
    result
}

async fn polling(call: Call, fds: *mut libc::pollfd, count: usize, deadline: u64) -> SysResult {
    let none = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    loop {
        // SAFETY: the program's array; no wait.
        let found = unsafe { sys!(SYS_ppoll, fds, count, &none, 0, 0) }?;
        if found > 0 || deadline == 0 {
            return Ok(found);
        }
        let wanted = (0..count).filter_map(|i| {
            // SAFETY: the kernel has just read and written the array.
            let p = unsafe { read_user(fds.add(i)) }.ok()?;
            (p.fd >= 0).then_some((p.fd, interest_of(p.events)))
        });
        match future::until(call.task, AnyReady::new(call.task, wanted), deadline).await {
            Woken::Ready(()) => {}
            Woken::Timeout => {
                // SAFETY: as above. What came in the last moment counts.
                return unsafe { sys!(SYS_ppoll, fds, count, &none, 0, 0) };
            }
            Woken::Signal => return Err(Errno::RESTART_NOHAND),
        }
    }
}

#[allow(clippy::cast_sign_loss)]
fn interest_of(events: i16) -> u32 {
    u32::from(events as u16) | (libc::EPOLLHUP | libc::EPOLLERR) as u32
}

/// select(2): the time-out is a timeval, and Linux leaves in it what was left.
pub(crate) async fn select(
    call: Call,
    count: i32,
    r: usize,
    w: usize,
    x: usize,
    timeout: *mut libc::timeval,
) -> SysResult {
    let deadline = if timeout.is_null() {
        u64::MAX
    } else {
        // SAFETY: the program's timeval.
        let t = unsafe { read_user(timeout) }?;
        if t.tv_sec < 0 || t.tv_usec < 0 {
            return Err(Errno::INVAL);
        }
        let sec = t.tv_sec + t.tv_usec / 1_000_000;
        match (sec, t.tv_usec % 1_000_000) {
            (0, 0) => 0,
            (tv_sec, us) => time::deadline_after(libc::timespec {
                tv_sec,
                tv_nsec: us * 1000,
            })?,
        }
    };
    let result = selecting(call, count, [r, w, x], deadline).await;
    if deadline != u64::MAX && deadline != 0 {
        let left = deadline.saturating_sub(sys::now(libc::CLOCK_MONOTONIC));
        let left = libc::timeval {
            tv_sec: (left / 1_000_000_000) as i64,
            tv_usec: (left % 1_000_000_000 / 1000) as i64,
        };
        // SAFETY: read before from the same place.
        let _ = unsafe { write_user(timeout, left) };
    }
    result
}

/// pselect6(2): the last argument points to the mask's address and size.
pub(crate) async fn pselect6(
    call: Call,
    count: i32,
    r: usize,
    w: usize,
    x: usize,
    timeout: *mut libc::timespec,
) -> SysResult {
    let deadline = deadline_of(timeout)?;
    let mask = call.args[5] as *const [usize; 2];
    if !mask.is_null() {
        // SAFETY: the program's pair, and the mask it points to.
        let mask =
            unsafe { read_user(mask).and_then(|[at, size]| mask_of(at as *const u64, size)) }?;
        if let Some(mask) = mask {
            signal::mask_for_call(call.task, mask);
        }
    }
    let result = selecting(call, count, [r, w, x], deadline).await;
    write_back(timeout, deadline, result)
}

async fn selecting(call: Call, count: i32, sets: [usize; 3], deadline: u64) -> SysResult {
    let words = usize::try_from(count)
        .map_err(|_| Errno::INVAL)?
        .div_ceil(64);
    // What the program asks; the kernel overwrites its copies with what it found.
    let mut asked: [Vec<u64>; 3] = Default::default();
    for (asked, set) in asked.iter_mut().zip(sets) {
        if set != 0 {
            // SAFETY: the program's sets, as many bits as it says.
            *asked = (0..words)
                .map(|i| unsafe { read_user((set as *const u64).add(i)) })
                .collect::<Result<_, _>>()?;
        }
    }
    let none = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    loop {
        // SAFETY: the program's sets; no wait. The kernel gets the raw call, so its answer is the program's.
        let mut now = none;
        // SAFETY: as above.
        let found = unsafe { sys!(SYS_pselect6, count, sets[0], sets[1], sets[2], &mut now, 0) }?;
        if found > 0 || deadline == 0 {
            return Ok(found);
        }
        let bits =
            |set: &Vec<u64>, fd: usize| set.get(fd / 64).is_some_and(|w| w >> (fd % 64) & 1 != 0);
        let asked_now = &asked;
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        let wanted = (0..words * 64).filter_map(move |fd| {
            let r = if bits(&asked_now[0], fd) { READ } else { 0 };
            let w = if bits(&asked_now[1], fd) { WRITE } else { 0 };
            let x = if bits(&asked_now[2], fd) {
                libc::EPOLLPRI as u32
            } else {
                0
            };
            (r | w | x != 0).then_some((fd as i32, r | w | x))
        });
        let woken = future::until(call.task, AnyReady::new(call.task, wanted), deadline).await;
        if woken == Woken::Signal {
            restore(&asked, sets)?;
            return Err(Errno::RESTART_NOHAND);
        }
        if woken == Woken::Timeout {
            return Ok(0);
        }
        restore(&asked, sets)?;
    }
}

/// Writes the sets back as the program asked: the kernel has cleared them.
fn restore(asked: &[Vec<u64>; 3], sets: [usize; 3]) -> Result<(), Errno> {
    for (asked, set) in asked.iter().zip(sets) {
        for (i, word) in asked.iter().enumerate() {
            // SAFETY: read before from the same place.
            unsafe { write_user((set as *mut u64).add(i), *word) }?;
        }
    }
    Ok(())
}

/// epoll_wait(2): milliseconds; negative: no time-out.
pub(crate) async fn epoll_wait(
    call: Call,
    epoll: i32,
    events: usize,
    max: i32,
    timeout: i32,
) -> SysResult {
    let deadline = deadline_in(timeout);
    epolling(call, epoll, events, max, deadline).await
}

/// epoll_pwait(2).
pub(crate) async fn epoll_pwait(
    call: Call,
    epoll: i32,
    events: usize,
    max: i32,
    timeout: i32,
    mask: *const u64,
) -> SysResult {
    // SAFETY: the program's mask.
    if let Some(mask) = unsafe { mask_of(mask, call.args[5]) }? {
        signal::mask_for_call(call.task, mask);
    }
    epoll_wait(call, epoll, events, max, timeout).await
}

/// epoll_pwait2(2).
pub(crate) async fn epoll_pwait2(
    call: Call,
    epoll: i32,
    events: usize,
    max: i32,
    timeout: *const libc::timespec,
    mask: *const u64,
) -> SysResult {
    let deadline = deadline_of(timeout)?;
    // SAFETY: the program's mask.
    if let Some(mask) = unsafe { mask_of(mask, call.args[5]) }? {
        signal::mask_for_call(call.task, mask);
    }
    epolling(call, epoll, events, max, deadline).await
}

/// The program's epoll is itself a descriptor that becomes readable: the hub's epoll watches it.
async fn epolling(call: Call, epoll: i32, events: usize, max: i32, deadline: u64) -> SysResult {
    let file = super::close::Held::new(epoll);
    loop {
        // SAFETY: the program's buffer; no wait.
        let found = unsafe { sys!(SYS_epoll_wait, file.fd()?, events, max, 0) }?;
        if found > 0 || deadline == 0 {
            return Ok(found);
        }
        file.hold();
        let ready = Ready::new(call.task, file.fd()?, ANY);
        match future::until(call.task, ready, deadline).await {
            Woken::Ready(Ok(())) => {}
            // Nested too deep for one more level: let the kernel wait, on a pool thread.
            Woken::Ready(Err(_)) => {
                return crate::pool::wait_there(call.task, call.number, call.args).await
            }
            // SAFETY: as above.
            Woken::Timeout => return unsafe { sys!(SYS_epoll_wait, file.fd()?, events, max, 0) },
            Woken::Signal => return Err(Errno::INTR),
        }
    }
}
