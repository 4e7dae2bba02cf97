//! POSIX timers for a thread (`SIGEV_THREAD_ID`, on which libc builds `SIGEV_THREAD`), and descriptors whose signals are for one
//! (`F_SETOWN_EX` with `F_OWNER_TID`).
//!
//! The kernel does not know tasks. So it is asked to send [`signal::RELAY`] to the receiver, which finds here whose it is, and gives the task the
//! signal that the program asked for, as the kernel would have made it. All other timers are the kernel's own affair.

use super::Call;
use crate::fds;
use crate::signal::{self, receiver, Info, RELAY};
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task::{self, lock, Task};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// The kernel's `struct sigevent`, as far as it is used.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Event {
    value: u64,
    signal: i32,
    notify: i32,
    id: i32,
    rest: [u32; 11],
}

/// Whom a signal is for, and which one it is.
#[derive(Clone, Copy, Debug)]
struct Owner {
    task: &'static Task,
    id: i32,
    signal: i32,
    value: u64,
    /// Of a timer: what `timer_getoverrun` says. Of a descriptor: the generation of its number.
    extra: u32,
}

static TIMERS: Mutex<BTreeMap<i32, Owner>> = Mutex::new(BTreeMap::new());
static DESCRIPTORS: Mutex<BTreeMap<i32, Owner>> = Mutex::new(BTreeMap::new());

/// timer_create(2).
pub(crate) fn create(call: Call, clock: i32, event: *const Event, timer: *mut i32) -> SysResult {
    if event.is_null() {
        return call.raw();
    }
    // SAFETY: the program's struct.
    let asked = unsafe { read_user(event) }?;
    if asked.notify != libc::SIGEV_THREAD_ID {
        return call.raw();
    }
    let task = task::find(asked.id).ok_or(Errno::INVAL)?;
    if !(1..=64).contains(&asked.signal) {
        return Err(Errno::INVAL);
    }
    let relayed = Event {
        signal: RELAY,
        id: receiver::tid(),
        ..asked
    };
    let mut made = 0i32;
    // Under the lock: its first signal may come at once.
    let mut timers = lock(&TIMERS);
    // SAFETY: both are ours; the program's word is written below.
    unsafe {
        sys!(SYS_timer_create, clock, &relayed, &mut made)?;
        if let Err(e) = write_user(timer, made) {
            let _ = sys!(SYS_timer_delete, made);
            return Err(e);
        }
    }
    let owner = Owner {
        task,
        id: asked.id,
        signal: asked.signal,
        value: asked.value,
        extra: 0,
    };
    timers.insert(made, owner);
    Ok(0)
}

/// timer_delete(2).
pub(crate) fn delete(call: Call, timer: i32) -> SysResult {
    let mut timers = lock(&TIMERS);
    let result = call.raw()?;
    timers.remove(&timer);
    Ok(result)
}

/// setitimer(2), alarm(2) and timer_settime(2): who disarms a timer expects no signal of it afterwards. One that it has sent before is handled
/// before the call returns, as natively, and not when the receiver hears of it.
pub(crate) fn set(call: Call) -> SysResult {
    let result = call.raw();
    signal::consider_all();
    result
}

/// timer_getoverrun(2): of the signal that was taken last.
pub(crate) fn getoverrun(call: Call, timer: i32) -> SysResult {
    match lock(&TIMERS).get(&timer) {
        Some(owner) => Ok(owner.extra as usize),
        None => call.raw(),
    }
}

/// A task takes a timer's signal.
pub(crate) fn taken(info: &Info) {
    let (timer, overrun) = info.timer();
    if let Some(owner) = lock(&TIMERS).get_mut(&timer) {
        owner.extra = overrun;
    }
}

/// The kernel relayed something: on to the task that it is for. Gives it back if it is for none that is known here.
pub(crate) fn relayed(info: Info) -> Option<Info> {
    if info.code == libc::SI_TIMER {
        let (timer, overrun) = info.timer();
        if let Some(owner) = lock(&TIMERS).get(&timer).copied() {
            let info = Info::of_timer(owner.signal, timer, overrun, owner.value);
            let _ = signal::post_to(owner.task, owner.id, info);
        }
        return None;
    }
    if info.code > 0 {
        let fd = info.descriptor();
        if let Some(owner) = owner_of(fd) {
            // Without F_SETSIG it is SIGIO, which says nothing.
            let info = match owner.signal {
                0 => Info::of_kernel(libc::SIGIO, 0x80),
                signal => info.with_number(signal),
            };
            let _ = signal::post_to(owner.task, owner.id, info);
        }
        return None;
    }
    Some(info)
}

/// `F_SETOWN_EX` and its kin.
const SETSIG: i32 = 10;
const GETSIG: i32 = 11;
const SETOWN_EX: i32 = 15;
const GETOWN_EX: i32 = 16;
const OWNER_TID: i32 = 0;

fn owner_of(fd: i32) -> Option<Owner> {
    let owner = lock(&DESCRIPTORS).get(&fd).copied()?;
    (owner.extra == generation(fd)).then_some(owner)
}

fn generation(fd: i32) -> u32 {
    fds::entry(fd).map_or(0, fds::Entry::generation)
}

/// fcntl(2) about who gets a descriptor's signals. `None`: the kernel's affair.
pub(crate) fn fcntl(fd: i32, command: i32, argument: usize) -> Option<SysResult> {
    // SAFETY: commands that take a number, or a pair of ours.
    let raw = |command: i32, argument: usize| unsafe { sys!(SYS_fcntl, fd, command, argument) };
    let pair = argument as *mut [i32; 2];
    if matches!(command, SETSIG | SETOWN_EX | libc::F_SETOWN) {
        signal::calls_raise();
    }
    match command {
        SETOWN_EX => {
            // SAFETY: the program's struct.
            let [kind, id] = match unsafe { read_user(pair) } {
                Ok(pair) => pair,
                Err(e) => return Some(Err(e)),
            };
            let task = (kind == OWNER_TID).then(|| task::find(id)).flatten();
            let Some(task) = task else {
                release(fd);
                return None;
            };
            Some(own(fd, task, id))
        }
        libc::F_SETOWN => {
            release(fd);
            None
        }
        _ => {
            let owner = owner_of(fd)?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
            match command {
                SETSIG if argument > 64 => Some(raw(command, argument)),
                SETSIG => {
                    let signal = argument as i32;
                    lock(&DESCRIPTORS).insert(fd, Owner { signal, ..owner });
                    Some(Ok(0))
                }
                GETSIG => Some(Ok(owner.signal as usize)),
                libc::F_GETOWN => Some(Ok(owner.id as usize)),
                // SAFETY: the program's struct.
                GETOWN_EX => Some(unsafe { write_user(pair, [OWNER_TID, owner.id]) }.map(|()| 0)),
                _ => None,
            }
        }
    }
}

/// A task becomes a descriptor's owner; the kernel has the receiver for it.
fn own(fd: i32, task: &'static Task, id: i32) -> SysResult {
    let signal = match owner_of(fd) {
        Some(owner) => owner.signal,
        // SAFETY: asks for a number.
        None => i32::try_from(unsafe { sys!(SYS_fcntl, fd, GETSIG) }?).unwrap_or(0),
    };
    let owner = Owner {
        task,
        id,
        signal,
        value: 0,
        extra: generation(fd),
    };
    lock(&DESCRIPTORS).insert(fd, owner);
    let pair = [OWNER_TID, receiver::tid()];
    // SAFETY: the pair is ours.
    let set = unsafe {
        sys!(SYS_fcntl, fd, SETOWN_EX, &pair).and_then(|_| sys!(SYS_fcntl, fd, SETSIG, RELAY))
    };
    if set.is_err() {
        lock(&DESCRIPTORS).remove(&fd);
    }
    set
}

/// A descriptor's owner is no task any more: the kernel gets the number of its signal back.
fn release(fd: i32) {
    if let Some(owner) = owner_of(fd) {
        lock(&DESCRIPTORS).remove(&fd);
        // SAFETY: a number.
        let _ = unsafe { sys!(SYS_fcntl, fd, SETSIG, owner.signal) };
    }
}

/// In a forked child, which has no timers; its descriptors' owners are its parent's tasks.
pub(crate) fn reset() {
    lock(&TIMERS).clear();
    lock(&DESCRIPTORS).clear();
}
