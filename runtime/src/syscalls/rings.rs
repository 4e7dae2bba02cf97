//! Waiting for asynchronous I/O: io_uring's rings, which can be polled, and libaio's, which cannot.
//!
//! The program's submissions are made in line, by its hub's thread. A ring that the program wants to be one thread's
//! (`IORING_SETUP_SINGLE_ISSUER`) is made without that: a task's calls come from its hub's thread, or from the pool's. One that was made so
//! before the first thread is served by the thread that made it ([`crate::errand`]).

use super::close::Held;
use super::poll::Masked;
use super::{time, wait_with_others, Call};
use crate::errand;
use crate::hub::readiness::READ;
use crate::pool;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::uring;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Flags of io_uring_setup(2).
const IOPOLL: u32 = 1;
const SQPOLL: u32 = 1 << 1;
const COOP_TASKRUN: u32 = 1 << 8;
const SINGLE_ISSUER: u32 = 1 << 12;
const DEFER_TASKRUN: u32 = 1 << 13;
const REGISTERED_FD_ONLY: u32 = 1 << 15;

/// Flags of io_uring_enter(2).
const GETEVENTS: u32 = 1;
const SQ_WAIT: u32 = 1 << 2;
const EXT_ARG: u32 = 1 << 3;
/// The ring is given by its place among the thread's registered ones; the deadline is of the ring's clock; the argument is
/// in registered memory.
const SPECIAL: u32 = 1 << 4 | 1 << 5 | 1 << 6;

const TIME: Errno = Errno(libc::ETIME);
/// The ring is one OS thread's (`SINGLE_ISSUER`), and not this one's.
const NOT_ISSUER: Errno = Errno(libc::EEXIST);

/// Set once the program has made a ring that is polled for completions: waiting for them is work for the waiter.
static POLLED: AtomicBool = AtomicBool::new(false);

/// How often a ring was entered, which may have closed descriptors (`IORING_OP_CLOSE`): nobody sees it do so.
static ENTERED: AtomicU32 = AtomicU32::new(0);

/// Changes when what a number means may have changed without a call.
#[inline]
pub(crate) fn entered() -> u32 {
    ENTERED.load(Ordering::Relaxed)
}

/// `struct io_uring_getevents_arg`
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Extended {
    mask: *const u64,
    mask_size: u32,
    least_wait: u32,
    time: *const libc::timespec,
}

// SAFETY: addresses in the program's memory.
unsafe impl Send for Extended {}

/// io_uring_setup(2).
pub(crate) fn setup(call: Call, _entries: u32, parameters: *mut [u32; 30]) -> SysResult {
    /// Which word of the parameters the flags are.
    const FLAGS: usize = 2;
    // SAFETY: the program's parameters.
    let mut ours = unsafe { read_user(parameters) }?;
    let asked = ours[FLAGS];
    if asked & REGISTERED_FD_ONLY != 0 {
        // As kernels before 6.5: such a ring has no descriptor but is a thread's.
        return Err(Errno::INVAL);
    }
    let whose = asked & (SINGLE_ISSUER | DEFER_TASKRUN);
    if whose == DEFER_TASKRUN || whose & DEFER_TASKRUN != 0 && asked & SQPOLL != 0 {
        return call.raw();
    }
    ours[FLAGS] &= !(SINGLE_ISSUER | DEFER_TASKRUN);
    if whose & DEFER_TASKRUN != 0 {
        // The nearest that any thread may use: no interrupts for completions.
        ours[FLAGS] |= COOP_TASKRUN;
    }
    let mut args = call.args;
    args[1] = &raw mut ours as usize;
    // SAFETY: the program's call with parameters of our own.
    let ring = sys::check(unsafe { sys::syscall_raw(call.number, args) })?;
    if asked & IOPOLL != 0 {
        POLLED.store(true, Ordering::Relaxed);
    }
    ours[FLAGS] = asked;
    // SAFETY: read before from the same place.
    unsafe { write_user(parameters, ours) }?;
    Ok(ring)
}

/// io_uring_register(2). Registered rings are an OS thread's: as on kernels before 5.18 there are none.
pub(crate) async fn register(call: Call, _ring: i32, operation: u32) -> SysResult {
    const REGISTER_RING_FDS: u32 = 20;
    const UNREGISTER_RING_FDS: u32 = 21;
    if matches!(operation, REGISTER_RING_FDS | UNREGISTER_RING_FDS) {
        return Err(Errno::INVAL);
    }
    on_ring(call, call.args).await
}

/// Makes a call on a ring that does not wait. If the ring is the first OS thread's, that makes it.
async fn on_ring(call: Call, args: [usize; 6]) -> SysResult {
    // SAFETY: the program's call, or one of ours for it.
    match sys::check(unsafe { sys::syscall_raw(call.number, args) }) {
        Err(NOT_ISSUER) => errand::send(call.task, call.number, args).await,
        result => result,
    }
}

/// io_uring_enter(2).
pub(crate) async fn enter(
    call: Call,
    ring: i32,
    submit: u32,
    wait: u32,
    flags: u32,
    argument: usize,
    size: usize,
) -> SysResult {
    ENTERED.fetch_add(1, Ordering::Relaxed);
    if flags & SQ_WAIT != 0 {
        return without_mask(call, call.args).await;
    }
    if flags & GETEVENTS == 0 || wait == 0 {
        return on_ring(call, call.args).await;
    }
    let extended = if flags & EXT_ARG == 0 {
        Extended {
            mask: argument as *const u64,
            mask_size: u32::try_from(size).unwrap_or(u32::MAX),
            least_wait: 0,
            time: std::ptr::null(),
        }
    } else if size == size_of::<Extended>() && flags & SPECIAL == 0 {
        // SAFETY: the program's structure.
        unsafe { read_user(argument as *const Extended) }?
    } else if flags & SPECIAL == 0 {
        return call.raw();
    } else {
        return without_mask(call, call.args).await;
    };
    let deadline = if extended.time.is_null() {
        u64::MAX
    } else {
        // SAFETY: the program's timespec.
        time::deadline_after(unsafe { read_user(extended.time) }?)?
    };
    let mut submitted = 0;
    if submit > 0 {
        let only_submit = flags & !(GETEVENTS | EXT_ARG);
        let args = [
            ring as usize,
            submit as usize,
            0,
            only_submit as usize,
            0,
            0,
        ];
        submitted = on_ring(call, args).await?;
        if submitted != submit as usize {
            return Ok(submitted);
        }
    }
    match completed(call, ring, wait, &extended, deadline).await {
        // What was submitted counts, whatever came of the wait.
        Err(_) if submitted > 0 => Ok(submitted),
        Err(e) => Err(e),
        Ok(_) => Ok(submitted),
    }
}

/// Waits for a number of completions, with the mask for the time of the wait.
async fn completed(
    call: Call,
    ring: i32,
    wait: u32,
    extended: &Extended,
    deadline: u64,
) -> SysResult {
    // SAFETY: the program's mask.
    let masked = unsafe { Masked::set(call, extended.mask, extended.mask_size as usize) }?;
    let result = completing(call, ring, wait, extended, deadline).await;
    masked.end(result, Errno::INTR);
    result
}

async fn completing(
    call: Call,
    ring: i32,
    wait: u32,
    extended: &Extended,
    deadline: u64,
) -> SysResult {
    let file = Held::new(ring);
    let alone = [ring as usize, 0, wait as usize, GETEVENTS as usize, 0, 0];
    if POLLED.load(Ordering::Relaxed) || extended.least_wait != 0 {
        let mut args = call.args;
        args[1] = 0;
        return without_mask(call, args).await;
    }
    /// How often a ring is looked at of which nothing tells: made with `DEFER_TASKRUN` before the first thread, it completes requests
    /// only when its own thread asks for them.
    const LOOK: u64 = 1_000_000;
    let mut deferred = false;
    loop {
        match now(call, &file, wait, &mut deferred).await {
            Err(TIME) => {}
            // Before Linux 5.11.
            Err(Errno::INVAL) => {
                return pool::wait_there(call.task, call.number, alone).await;
            }
            // There are some. More than one may be wanted.
            Ok(_) if wait > 1 => match file.with(uring::completions)? {
                Some((there, most)) if there >= wait.min(most) => return Ok(0),
                Some(_) => {}
                None => return pool::wait_there(call.task, call.number, alone).await,
            },
            result => return result,
        }
        if !file.hold() {
            continue;
        }
        let look = if deferred {
            deadline.min(sys::now(libc::CLOCK_MONOTONIC) + LOOK)
        } else {
            deadline
        };
        let ended = match wait_with_others(call, &file, READ, look, Errno::INTR).await {
            Ok(()) => continue,
            Err(Errno::AGAIN) if look != deadline => continue,
            Err(Errno::AGAIN) => TIME,
            Err(e) => e,
        };
        // Fewer than wanted are no error.
        let there = now(call, &file, 1, &mut deferred).await;
        return there.map_err(|e| if e == TIME { ended } else { e });
    }
}

/// Looks for completions without waiting, and whether that is for the first OS thread to do: `ETIME` if there is none. With fewer than wanted the kernel says 0 as well.
async fn now(call: Call, file: &Held, wait: u32, deferred: &mut bool) -> SysResult {
    let none = time::timespec(0);
    let extended = Extended {
        mask: std::ptr::null(),
        mask_size: 0,
        least_wait: 0,
        time: &raw const none,
    };
    let mut args = [0; 6];
    args[2] = wait as usize;
    args[3] = (GETEVENTS | EXT_ARG) as usize;
    args[4] = &raw const extended as usize;
    args[5] = size_of::<Extended>();
    let result = file.with(|ring| {
        args[0] = ring as usize;
        // SAFETY: the program's ring; the arguments outlive the call.
        sys::check(unsafe { sys::syscall_raw(call.number, args) })
    })?;
    match result {
        Err(NOT_ISSUER) => {
            *deferred = true;
            errand::send(call.task, call.number, args).await
        }
        result => result,
    }
}

/// Lets a pool thread wait, without the signal mask that was meant for the task.
async fn without_mask(call: Call, mut args: [usize; 6]) -> SysResult {
    const IN_REGISTERED_MEMORY: usize = 1 << 6;
    let mut ours;
    if args[3] & EXT_ARG as usize == 0 {
        (args[4], args[5]) = (0, 0);
    } else if args[3] & IN_REGISTERED_MEMORY == 0 {
        // SAFETY: the program's structure.
        ours = unsafe { read_user(args[4] as *const Extended) }?;
        ours.mask = std::ptr::null();
        args[4] = &raw const ours as usize;
    }
    pool::wait_there(call.task, call.number, args).await
}

/// io_getevents(2). What is there is taken in line. Nothing tells of what is to come but the call itself: a pool thread waits
/// in it, one for each of the program's threads that reap, of which there are few.
pub(crate) async fn io_getevents(
    call: Call,
    _context: usize,
    least: isize,
    most: isize,
    events: usize,
    timeout: *const libc::timespec,
) -> SysResult {
    /// `struct io_event`
    const EVENT: usize = 32;
    let none = time::timespec(0);
    let mut args = call.args;
    args[4] = &raw const none as usize;
    args[5] = 0;
    // SAFETY: the program's call, without the wait.
    let got = sys::check(unsafe { sys::syscall_raw(call.number, args) })?;
    let only_looks = !timeout.is_null() && {
        // SAFETY: the program's timespec.
        let time = unsafe { read_user(timeout) }?;
        time.tv_sec == 0 && time.tv_nsec == 0
    };
    let (least, most) = (least.unsigned_abs(), most.unsigned_abs());
    if only_looks || got >= least {
        return Ok(got);
    }
    args[1] = least - got;
    args[2] = most - got;
    args[3] = events + got * EVENT;
    args[4] = timeout as usize;
    match pool::wait_there(call.task, call.number, args).await {
        Ok(more) => Ok(got + more),
        Err(_) if got > 0 => Ok(got),
        Err(e) => Err(e),
    }
}

/// io_pgetevents(2): with a mask for the time of the call. The last argument points to its address and size.
pub(crate) async fn io_pgetevents(
    call: Call,
    context: usize,
    least: isize,
    most: isize,
    events: usize,
    timeout: *const libc::timespec,
    mask: *const [usize; 2],
) -> SysResult {
    let [at, size] = if mask.is_null() {
        [0, 8]
    } else {
        // SAFETY: the program's pair.
        unsafe { read_user(mask) }?
    };
    // SAFETY: the mask to which it points.
    let masked = unsafe { Masked::set(call, at as *const u64, size) }?;
    let result = io_getevents(call, context, least, most, events, timeout).await;
    masked.end(result, Errno::RESTART_NOHAND);
    result
}
