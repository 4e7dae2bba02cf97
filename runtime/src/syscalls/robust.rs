//! Robust lists: the locks that a thread holds, and which others may have when it has ended (robust_futex(7), `Documentation/locking/robust-futexes.rst`).
//!
//! | what ends | who marks its locks |
//! |---|---|
//! | a task | the library ([`thread_ends`]) |
//! | the process, by exit_group(2), a signal or a fault | the library ([`process_ends`]), those in memory that others share |
//! | the process, by SIGKILL or exec | the [`survivor`](crate::survivor) ([`outlived`]) |
//!
//! The main thread's list is still registered with the process's first OS thread, which has its id: the kernel sees to that one.

use super::{futex, memory, Call};
use crate::spin;
use crate::sys;
use crate::sys::{read_user, write_user, Errno, SysResult};
use crate::task::{self, Task};
use crate::user;
use std::sync::atomic::{AtomicI32, Ordering};

const OWNER_DIED: u32 = 0x4000_0000;
const WAITERS: u32 = 0x8000_0000;
const TID: u32 = 0x3fff_ffff;

/// A lock in a robust list.
#[derive(Clone, Copy, Debug)]
struct Robust {
    address: usize,
    /// The thread is about to take it, or has just let it go.
    is_pending: bool,
}

/// The robust list (get_robust_list(2)): the mutexes that a thread holds, as libc keeps them.
fn each_robust_lock(task: &Task, mut f: impl FnMut(Robust)) {
    /// The kernel's bound against circular lists.
    const LIMIT: usize = 2048;
    let head = task.robust_list.get();
    if head == 0 {
        return;
    }
    // SAFETY: the list is the thread's own, in its control block and its mutexes, as it registered it.
    let Ok([first, offset, pending]) = (unsafe { read_user(head as *const [usize; 3]) }) else {
        return;
    };
    let mut entry = first & !1;
    for _ in 0..LIMIT {
        if entry == head {
            break;
        }
        // Before its lock is given away, and the memory with it.
        // SAFETY: as above.
        let next = unsafe { read_user(entry as *const usize) };
        if entry != pending & !1 {
            f(Robust {
                address: entry.wrapping_add(offset),
                is_pending: false,
            });
        }
        let Ok(next) = next else { break };
        entry = next & !1;
    }
    if pending != 0 {
        f(Robust {
            address: (pending & !1).wrapping_add(offset),
            is_pending: true,
        });
    }
}

/// Marks a lock of a thread that ends with it. Whether one waiter is to be woken: also by a lock that the thread had just let go, before it
/// could wake anybody.
fn mark(task: &Task, lock: Robust) -> bool {
    if !sys::plausible(lock.address) || lock.address % 4 != 0 {
        return false;
    }
    let id = u32::try_from(task.id()).unwrap_or(0);
    let died = |v: u32| (v & TID == id).then_some(v & WAITERS | OWNER_DIED);
    // SAFETY: a mutex's word, which the thread's own list names.
    unsafe { user::update(lock.address, died) }
        .is_ok_and(|old| old & TID == id && old & WAITERS != 0 || old & TID == 0 && lock.is_pending)
}

/// Wakes one who waits in the kernel, perhaps of another process.
fn wake_others(address: usize) {
    // SAFETY: wakes by address; touches nothing.
    let _ = unsafe { sys!(SYS_futex, address, libc::FUTEX_WAKE, 1) };
}

fn abandon(task: &Task, lock: Robust) {
    if mark(task, lock) {
        futex::wake(lock.address, 1, u32::MAX);
        if memory::is_shared(lock.address) {
            wake_others(lock.address);
        }
    }
}

/// A thread ends.
pub(super) fn thread_ends(task: &Task) {
    each_robust_lock(task, |lock| abandon(task, lock));
}

/// Who marks the locks of a process that ends: the OS thread's id, or [`DONE`].
static BY: AtomicI32 = AtomicI32::new(0);
const DONE: i32 = -1;

/// The process ends: what its threads hold in memory that others share is marked, as the kernel does for threads that it knows.
///
/// Once, by the first thread that comes here; others wait until it is done. A lock that is marked may be another process's at once, and
/// what it links to that process's memory.
pub(crate) fn process_ends() {
    if !memory::any_shared() {
        return;
    }
    let tid = sys::thread_id();
    if BY
        .compare_exchange(0, tid, Ordering::AcqRel, Ordering::Acquire)
        .is_err()
    {
        // (Its own: it had a fault on the way.)
        spin::until(|| [DONE, tid].contains(&BY.load(Ordering::Acquire)));
        return;
    }
    for task in task::all() {
        each_robust_lock(task, |lock| {
            if memory::is_shared(lock.address) {
                abandon(task, lock);
            }
        });
    }
    BY.store(DONE, Ordering::Release);
}

/// The process has ended, and its memory is the caller's alone: takes no lock, as a thread may have died with it.
pub(crate) fn outlived() {
    // Else those words are other processes' by now.
    if BY.load(Ordering::Acquire) != 0 {
        return;
    }
    for task in task::all().filter(|t| !t.is_main()) {
        each_robust_lock(task, |lock| {
            if mark(task, lock) {
                wake_others(lock.address);
            }
        });
    }
}

/// set_robust_list(2).
pub(crate) fn set_robust_list(call: Call, head: usize, len: usize) -> SysResult {
    if len != 24 {
        return Err(Errno::INVAL);
    }
    call.task.robust_list.set(head);
    Ok(0)
}

/// get_robust_list(2).
pub(crate) fn get_robust_list(call: Call, id: i32, head: *mut usize, len: *mut usize) -> SysResult {
    let of = if id == 0 {
        Some(call.task)
    } else {
        task::find(id)
    };
    let Some(of) = of else {
        return call.raw();
    };
    // SAFETY: the program's words.
    unsafe {
        write_user(len, 24)?;
        write_user(head, of.robust_list.get())?;
    }
    Ok(0)
}
