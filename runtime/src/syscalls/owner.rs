//! Who gets a descriptor's signals (fcntl(2), `F_SETOWN_EX` with `F_OWNER_TID`): a task, which the kernel does not know. It is asked to send
//! [`RELAY`] to the receiver, which finds here whose it is. All other owners are the kernel's own affair.

use super::process;
use crate::fds;
use crate::signal::{self, receiver, Info, RELAY};
use crate::sys;
use crate::sys::{read_user, write_user, SysResult};
use crate::task::{self, lock, Task};
use std::collections::BTreeMap;
use std::sync::Mutex;

/// Whom a descriptor's signals are for, and which one it is; 0: as without `F_SETSIG`.
#[derive(Clone, Copy, Debug)]
struct Owner {
    task: &'static Task,
    id: i32,
    signal: i32,
    /// Of the descriptor's number.
    generation: u32,
}

static OWNERS: Mutex<BTreeMap<i32, Owner>> = Mutex::new(BTreeMap::new());

/// The kernel relayed what happened to a descriptor: on to its owner.
pub(super) fn relayed(info: &Info) {
    let fd = info.descriptor();
    if let Some(owner) = owner_of(fd) {
        // Without F_SETSIG it is SIGIO, which says nothing.
        let info = match owner.signal {
            0 => Info::of_kernel(libc::SIGIO, 0x80),
            signal => info.with_number(signal),
        };
        let _ = signal::post_to(owner.task, owner.id, info);
    }
}

/// `F_SETOWN_EX` and its kin.
const SETSIG: i32 = 10;
const GETSIG: i32 = 11;
const SETOWN_EX: i32 = 15;
const GETOWN_EX: i32 = 16;
const OWNER_TID: i32 = 0;

fn owner_of(fd: i32) -> Option<Owner> {
    let owner = lock(&OWNERS).get(&fd).copied()?;
    (owner.generation == generation(fd)).then_some(owner)
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
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        libc::F_SETOWN => {
            release(fd);
            // By the id of a thread, too, the signals are for its process.
            process::is_own(argument as i32).then(|| raw(command, sys::process_id() as usize))
        }
        _ => {
            let owner = owner_of(fd)?;
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
            match command {
                SETSIG if argument > 64 => Some(raw(command, argument)),
                SETSIG => {
                    let signal = argument as i32;
                    lock(&OWNERS).insert(fd, Owner { signal, ..owner });
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
        generation: generation(fd),
    };
    lock(&OWNERS).insert(fd, owner);
    let pair = [OWNER_TID, receiver::tid()];
    // SAFETY: the pair is ours.
    let set = unsafe {
        sys!(SYS_fcntl, fd, SETOWN_EX, &pair).and_then(|_| sys!(SYS_fcntl, fd, SETSIG, RELAY))
    };
    if set.is_err() {
        lock(&OWNERS).remove(&fd);
    }
    set
}

/// A descriptor's owner is no task any more: the kernel gets the number of its signal back.
fn release(fd: i32) {
    if let Some(owner) = owner_of(fd) {
        lock(&OWNERS).remove(&fd);
        // SAFETY: a number.
        let _ = unsafe { sys!(SYS_fcntl, fd, SETSIG, owner.signal) };
    }
}

/// In a forked child: the owners are its parent's tasks.
pub(super) fn reset() {
    lock(&OWNERS).clear();
}
