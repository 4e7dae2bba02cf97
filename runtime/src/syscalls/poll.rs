//! poll, select and epoll: asked without waiting, and asked again whenever something may have happened.
//!
//! As in Linux, a wait holds the files that its numbers meant when it began, and events of those end it; what it then reports is what
//! the numbers mean by that time.

use super::close::Held;
use super::{Call, Outcome};
use crate::future::{self, Woken};
use crate::hub::readiness::{AnyReady, Ready, READ};
use crate::pool;
use crate::signal::{self, Lent};
use crate::status;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::syscalls::time;
use libc::{pollfd, timespec};

pub(super) const NO_TIME: timespec = timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

/// Asks poll(2) without waiting.
///
/// # Safety
/// As for the call.
unsafe fn look(list: *mut pollfd, count: usize) -> SysResult {
    // SAFETY: the caller's promise; no wait.
    sys::despite_kicks(|| unsafe { sys!(SYS_ppoll, list, count, &NO_TIME, 0, 0) })
}

/// For which of `events`, and of those that poll(2) always tells of, a descriptor is ready this moment.
pub(crate) fn events_now(fd: i32, events: i16) -> i16 {
    let mut one = pollfd {
        fd,
        events,
        revents: 0,
    };
    // SAFETY: one entry.
    let _ = unsafe { look(&mut one, 1) };
    one.revents
}

/// Whether there is any.
pub(crate) fn ready_now(fd: i32, events: i16) -> bool {
    events_now(fd, events) != 0
}

/// Waits for a file that the hub's epoll does not take (no memory for it, or an epoll nested too deep): a pool thread polls it.
pub(crate) async fn one_in_pool(
    call: Call,
    file: &Held,
    interest: u32,
    deadline: u64,
    interrupt: Errno,
) -> Result<(), Errno> {
    let pinned = file.pin()?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let mut one = pollfd {
        fd: pinned.fd,
        events: interest as u16 as i16,
        revents: 0,
    };
    match in_pool(call, &raw mut one, 1, deadline).await {
        Ok(0) => Err(Errno::AGAIN),
        Ok(_) => Ok(()),
        Err(Errno::RESTART_SYS) => Err(interrupt),
        Err(e) => Err(e),
    }
}

/// Has a pool thread wait in poll(2). The list is the program's or in a parked future, which stays until the thread is done.
async fn in_pool(call: Call, list: *mut pollfd, count: usize, deadline: u64) -> SysResult {
    let timeout = match deadline {
        u64::MAX => -1,
        // Rounded up: never too early.
        at => {
            let left = at.saturating_sub(sys::now(libc::CLOCK_MONOTONIC));
            i32::try_from(left.div_ceil(1_000_000)).unwrap_or(i32::MAX)
        }
    };
    #[allow(clippy::cast_sign_loss)]
    let args = [list as usize, count, timeout as u32 as usize, 0, 0, 0];
    pool::wait_there(call.task, libc::SYS_poll as usize, args).await
}

/// poll(2): the time-out is in milliseconds; negative: none.
pub(crate) async fn poll(call: Call, list: *mut pollfd, count: usize, timeout: i32) -> SysResult {
    polling(call, list, count, deadline_in(timeout)).await
}

/// ppoll(2).
pub(crate) async fn ppoll(
    call: Call,
    list: *mut pollfd,
    count: usize,
    timeout: *mut timespec,
    mask: *const u64,
) -> SysResult {
    let deadline = deadline_of(timeout)?;
    // SAFETY: the program's mask.
    let masked = unsafe { Masked::set(call, mask, call.args[4]) }?;
    let result = polling(call, list, count, deadline).await;
    masked.end(result, Errno::RESTART_NOHAND);
    write_back(timeout, deadline);
    result
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
fn deadline_of(timeout: *const timespec) -> Result<u64, Errno> {
    if timeout.is_null() {
        return Ok(u64::MAX);
    }
    // SAFETY: the program's timespec.
    match unsafe { read_user(timeout) }? {
        NO_TIME => Ok(0),
        time => time::deadline_after(time),
    }
}

/// A signal mask for the time of a call.
pub(super) struct Masked(Option<Call>);

impl Masked {
    /// # Safety
    /// A non-null `mask` must be readable if it looks like an address.
    pub(super) unsafe fn set(call: Call, mask: *const u64, size: usize) -> Result<Self, Errno> {
        if mask.is_null() {
            return Ok(Self(None));
        }
        if size != 8 {
            return Err(Errno::INVAL);
        }
        // SAFETY: the caller's promise.
        signal::mask_for_call(call.task, unsafe { read_user(mask) }?);
        Ok(Self(Some(call)))
    }

    /// pselect6(2)'s: the last argument points to the mask's address and size.
    pub(super) fn of_pselect(call: Call) -> Result<Self, Errno> {
        let mask = call.args[5] as *const [usize; 2];
        let (mask, size) = if mask.is_null() {
            (0, 0)
        } else {
            // SAFETY: the program's pair.
            unsafe { read_user(mask) }.map(|[mask, size]| (mask, size))?
        };
        // SAFETY: the program's mask.
        unsafe { Self::set(call, mask as *const u64, size) }
    }

    /// Whether a signal that the mask lets through waits to be handled.
    fn interrupts(call: Call) -> bool {
        call.task.restore_mask.get().is_some() && signal::interrupts(call.task)
    }

    /// Signals that the mask let through are delivered only if they ended the call; else the old mask is back before.
    pub(super) fn end(self, result: SysResult, interrupted: Errno) {
        if let (Some(call), true) = (self.0, result != Err(interrupted)) {
            signal::mask_after_call(call.task);
        }
    }
}

/// ppoll and pselect6 leave the time that was left in the program's timespec (the libc wrappers hide that).
fn write_back(timeout: *mut timespec, deadline: u64) {
    if deadline != u64::MAX && deadline != 0 && !timeout.is_null() {
        let left = deadline.saturating_sub(sys::now(libc::CLOCK_MONOTONIC));
        // Read-only memory the kernel, too, forgives here.
        // SAFETY: the program's timespec.
        let _ = unsafe { write_user(timeout, time::timespec(left)) };
    }
}

async fn polling(call: Call, list: *mut pollfd, count: usize, deadline: u64) -> SysResult {
    let lent = Lent::all(call.task);
    // SAFETY: the program's array.
    let found = unsafe { look(list, count) }?;
    drop(lent);
    if found > 0 {
        return Ok(found);
    }
    if deadline == 0 {
        return if Masked::interrupts(call) {
            Err(Errno::RESTART_NOHAND)
        } else {
            Ok(0)
        };
    }
    // SAFETY: the kernel has just read and written the array.
    let entry = |i| unsafe { read_user(list.add(i)) }.ok();
    let wanted = (0..count).filter_map(|i| entry(i).filter(|p| p.fd >= 0));
    let wanted = wanted.map(|p| (p.fd, interest_of(p.events)));
    watching(call, list, count, wanted, deadline, |found| found).await
}

/// Waits until an array's descriptors are ready as the program asked, which `answer` takes from what poll(2) found: 0, not yet.
async fn watching(
    call: Call,
    list: *mut pollfd,
    count: usize,
    wanted: impl Iterator<Item = (i32, u32)>,
    deadline: u64,
    answer: impl Fn(usize) -> usize,
) -> SysResult {
    let mut any = std::pin::pin!(AnyReady::new(call.task, wanted)?);
    loop {
        let woken = future::until(call.task, any.as_mut(), deadline).await;
        match woken {
            // What came in the last moment before a time-out counts.
            Woken::Ready(Ok(())) | Woken::Timeout => {}
            Woken::Ready(Err(_)) => {
                return match in_pool(call, list, count, deadline).await {
                    Ok(found) => Ok(answer(found)),
                    Err(Errno::RESTART_SYS) => Err(Errno::RESTART_NOHAND),
                    Err(e) => Err(e),
                }
            }
            Woken::Signal => return Err(Errno::RESTART_NOHAND),
        }
        any.again();
        let lent = Lent::all(call.task);
        // SAFETY: as for the first look.
        let found = answer(unsafe { look(list, count) }?);
        drop(lent);
        if found > 0 || woken == Woken::Timeout {
            return Ok(found);
        }
    }
}

/// What of a descriptor's events the hub's epoll is to tell: it knows nothing of the finer kinds of data and room.
#[allow(clippy::cast_sign_loss)]
fn interest_of(events: i16) -> u32 {
    const DATA: i16 = libc::POLLIN | libc::POLLRDNORM | libc::POLLRDBAND;
    const ROOM: i16 = libc::POLLOUT | libc::POLLWRNORM | libc::POLLWRBAND;
    const PLAIN: i16 = libc::POLLIN | libc::POLLOUT | libc::POLLPRI | libc::POLLRDHUP;
    let mut interest = u32::from((events & PLAIN) as u16);
    if events & DATA != 0 {
        interest |= (libc::EPOLLIN | libc::EPOLLPRI) as u32;
    }
    if events & ROOM != 0 {
        interest |= libc::EPOLLOUT as u32;
    }
    interest | (libc::EPOLLHUP | libc::EPOLLERR) as u32
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
        match (
            t.tv_sec.saturating_add(t.tv_usec / 1_000_000),
            t.tv_usec % 1_000_000,
        ) {
            (0, 0) => 0,
            (tv_sec, us) => time::deadline_after(timespec {
                tv_sec,
                tv_nsec: us * 1000,
            })?,
        }
    };
    let result = selecting(call, count, [r, w, x], deadline).await;
    if deadline != u64::MAX && deadline != 0 {
        let left = time::timespec(deadline.saturating_sub(sys::now(libc::CLOCK_MONOTONIC)));
        let left = libc::timeval {
            tv_sec: left.tv_sec,
            tv_usec: left.tv_nsec / 1000,
        };
        // SAFETY: the program's timeval; see `write_back`.
        let _ = unsafe { write_user(timeout, left) };
    }
    result
}

/// pselect6(2).
pub(crate) async fn pselect6(
    call: Call,
    count: i32,
    r: usize,
    w: usize,
    x: usize,
    timeout: *mut timespec,
) -> SysResult {
    let deadline = deadline_of(timeout)?;
    let masked = Masked::of_pselect(call)?;
    let result = selecting(call, count, [r, w, x], deadline).await;
    masked.end(result, Errno::RESTART_NOHAND);
    write_back(timeout, deadline);
    result
}

/// What poll(2) is asked, and may answer, for each of select's three sets.
const SETS: [(i16, i16); 3] = {
    use libc::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI};
    use libc::{POLLRDBAND, POLLRDNORM, POLLWRBAND, POLLWRNORM};
    [
        (
            POLLIN | POLLRDNORM | POLLRDBAND,
            POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR | POLLNVAL,
        ),
        (
            POLLOUT | POLLWRNORM | POLLWRBAND,
            POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLNVAL,
        ),
        (POLLPRI, POLLPRI | POLLNVAL),
    ]
};

/// The kernel looks first, at copies of the sets: it overwrites them with what it found. If that is nothing, the wait is poll's.
async fn selecting(call: Call, count: i32, sets: [usize; 3], deadline: u64) -> SysResult {
    let count = usize::try_from(count).map_err(|_| Errno::INVAL)?;
    let count = if count > libc::FD_SETSIZE {
        as_natively(count)
    } else {
        count
    };
    let words = count.div_ceil(64);
    let mut copies: [Vec<u64>; 3] = Default::default();
    for (copy, set) in copies.iter_mut().zip(sets) {
        if set != 0 {
            // SAFETY: the program's sets, as many bits as it says.
            *copy = (0..words)
                .map(|i| unsafe { read_user((set as *const u64).add(i)) })
                .collect::<Result<_, _>>()?;
        }
    }
    let mut list = asked(&copies, count)?;
    let mut at = [0; 3];
    for ((at, copy), set) in at.iter_mut().zip(&mut copies).zip(sets) {
        *at = if set == 0 {
            0
        } else {
            copy.as_mut_ptr() as usize
        };
    }
    let mut time = NO_TIME;
    let lent = Lent::all(call.task);
    // SAFETY: the copies have room for as many bits; no wait.
    let mut look = || unsafe { sys!(SYS_pselect6, count, at[0], at[1], at[2], &mut time, 0) };
    let mut found = sys::despite_kicks(&mut look)?;
    drop(lent);
    if found == 0 && deadline == 0 && Masked::interrupts(call) {
        return Err(Errno::RESTART_NOHAND);
    }
    if found == 0 && deadline != 0 {
        let (first, len) = (list.as_mut_ptr(), list.len());
        // SAFETY: the list, which is looked at nowhere else while the wait goes on.
        let entry = move |i| unsafe { *first.add(i) };
        let wanted = (0..len).map(entry).map(|p| (p.fd, interest_of(p.events)));
        let answer = |_| {
            (0..len)
                .map(|i| bits(entry(i)).iter().filter(|b| **b).count())
                .sum()
        };
        found = watching(call, first, len, wanted, deadline, answer).await?;
        for p in list {
            for (copy, ready) in copies.iter_mut().zip(bits(p)) {
                if ready {
                    #[allow(clippy::cast_sign_loss)]
                    let fd = p.fd as usize;
                    copy[fd / 64] |= 1 << (fd % 64);
                }
            }
        }
    }
    for (copy, set) in copies.iter().zip(sets) {
        for (i, word) in copy.iter().enumerate() {
            // SAFETY: read before from the same place.
            unsafe { write_user((set as *mut u64).add(i), *word) }?;
        }
    }
    Ok(found)
}

/// In which of the three sets a descriptor is to be reported.
fn bits(p: pollfd) -> [bool; 3] {
    SETS.map(|(asked, answers)| p.events & asked == asked && p.revents & answers != 0)
}

/// The descriptors of select's sets, for poll.
fn asked(sets: &[Vec<u64>; 3], count: usize) -> Result<Vec<pollfd>, Errno> {
    let mut list = Vec::new();
    for fd in 0..count {
        let has = |set: &Vec<u64>| set.get(fd / 64).is_some_and(|w| w >> (fd % 64) & 1 != 0);
        let events = sets
            .iter()
            .zip(SETS)
            .filter(|(set, _)| has(set))
            .fold(0, |events, (_, (asks, _))| events | asks);
        if events != 0 {
            list.try_reserve(1).map_err(|_| Errno::NOMEM)?;
            list.push(pollfd {
                fd: i32::try_from(fd).unwrap_or(-1),
                events,
                revents: 0,
            });
        }
    }
    Ok(list)
}

/// The kernel looks at no more bits than its table of the process has numbers, and programs rely on that: `select(getdtablesize(), …)`
/// with sets of `FD_SETSIZE`.
#[cold]
fn as_natively(count: usize) -> usize {
    count.min(status::descriptor_table_size().unwrap_or(count))
}

/// epoll_wait(2): milliseconds; negative: no time-out.
pub(crate) fn epoll_wait(call: Call) -> Outcome {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let [epoll, max, timeout] = [0, 2, 3].map(|at: usize| call.args[at] as i32);
    let file = Held::new(epoll);
    // What is there is had without a future.
    match at_once(call, epoll, max) {
        Ok(0) if timeout != 0 => {
            let deadline = deadline_in(timeout);
            super::run(call, epolling(call, file, max, deadline, Some(0)))
        }
        found => call.done(found),
    }
}

/// epoll_pwait(2).
pub(crate) async fn epoll_pwait(
    call: Call,
    epoll: i32,
    _events: usize,
    max: i32,
    timeout: i32,
    mask: *const u64,
) -> SysResult {
    // SAFETY: the program's mask.
    let masked = unsafe { Masked::set(call, mask, call.args[5]) }?;
    let deadline = deadline_in(timeout);
    let result = epolling(call, Held::new(epoll), max, deadline, None).await;
    masked.end(result, Errno::INTR);
    result
}

/// epoll_pwait2(2).
pub(crate) async fn epoll_pwait2(
    call: Call,
    epoll: i32,
    _events: usize,
    max: i32,
    timeout: *const timespec,
    mask: *const u64,
) -> SysResult {
    let deadline = deadline_of(timeout)?;
    // SAFETY: the program's mask.
    let masked = unsafe { Masked::set(call, mask, call.args[5]) }?;
    let result = epolling(call, Held::new(epoll), max, deadline, None).await;
    masked.end(result, Errno::INTR);
    result
}

/// What an epoll has now; the task's signals may be there for a signalfd in it.
fn at_once(call: Call, epoll: i32, max: i32) -> SysResult {
    let _lent = Lent::all(call.task);
    // SAFETY: the program's buffer; no wait.
    unsafe { sys!(SYS_epoll_wait, epoll, call.args[1], max, 0) }
}

/// The program's epoll is itself a descriptor that becomes readable: the hub's epoll watches it. `first`: what the first look gave, if there was one.
async fn epolling(
    call: Call,
    file: Held,
    max: i32,
    deadline: u64,
    mut first: Option<usize>,
) -> SysResult {
    let now = |fd| at_once(call, fd, max);
    loop {
        let found = match first.take() {
            Some(found) => found,
            None => file.with(now)??,
        };
        if found > 0 || deadline == 0 {
            return Ok(found);
        }
        if !file.hold() {
            continue;
        }
        let ready = Ready::in_turn(call.task, &file, READ);
        match future::until(call.task, ready, deadline).await {
            Woken::Ready(Ok(())) => {}
            Woken::Ready(Err(Errno::BADF)) => return Err(Errno::BADF),
            // Nested too deep for one more level, or no memory for it: let the kernel wait, on a pool thread.
            Woken::Ready(Err(_)) => return in_kernel(call, &file, deadline).await,
            Woken::Timeout => return file.with(now)?,
            Woken::Signal => return Err(Errno::INTR),
        }
    }
}

/// Has a pool thread wait in epoll_wait.
async fn in_kernel(call: Call, file: &Held, deadline: u64) -> SysResult {
    let pinned = file.pin()?;
    let left = deadline.saturating_sub(sys::now(libc::CLOCK_MONOTONIC));
    let timeout = match deadline {
        u64::MAX => -1,
        _ => i32::try_from(left.div_ceil(1_000_000)).unwrap_or(i32::MAX),
    };
    #[allow(clippy::cast_sign_loss)]
    let [fd, timeout] = [pinned.fd, timeout].map(|n| n as u32 as usize);
    let args = [fd, call.args[1], call.args[2], timeout, 0, 0];
    match pool::wait_there(call.task, libc::SYS_epoll_wait as usize, args).await {
        Err(e) if e.is_restart() => Err(Errno::INTR),
        result => result,
    }
}
