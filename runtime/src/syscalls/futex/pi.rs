//! Priority-inheriting locks: the word holds the owner's id, and whoever must wait sets a bit that sends the owner here when it unlocks
//! (`FUTEX_LOCK_PI` and its kin of futex(2)).
//!
//! There are no priorities to inherit on a hub, so this is the locking protocol alone, among tasks. In memory that other processes
//! share it is the same protocol with the kernel's plain waits, and reaches the tasks of other processes under this library. It
//! does not reach native ones: the kernel takes the id in the word for a thread's, which it must find (`docs/decisions/0014`).
//!
//! As in the kernel a task that would close a cycle of such locks gets `EDEADLK`: each says which lock it wants before it looks who
//! has that, and what its owner wants, and so on. One at a time does, so that the last one of a cycle sees it, and only that one.
//!
//! No signal ends a wait for a lock: libc would take it for locked.

use super::{wait, word, Buckets, Two, Waiter, ANY};
use crate::pool;
use crate::spin::Spin;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::{self, Task};
use crate::user;
use std::sync::atomic::Ordering;

const WAITERS: u32 = 0x8000_0000;
const OWNER_DIED: u32 = 0x4000_0000;
const TID: u32 = 0x3fff_ffff;

/// Whether an operation is answered here wherever its word is.
pub(super) fn is_own(command: i32) -> bool {
    [
        libc::FUTEX_LOCK_PI,
        libc::FUTEX_LOCK_PI2,
        libc::FUTEX_TRYLOCK_PI,
        libc::FUTEX_UNLOCK_PI,
        libc::FUTEX_WAIT_REQUEUE_PI,
        libc::FUTEX_CMP_REQUEUE_PI,
    ]
    .contains(&command)
}

/// While it lives, others see what lock a task wants.
#[derive(Debug)]
struct Wants(&'static Task);

impl Wants {
    /// `None`: the owner waits, at last, for a lock of the task's.
    fn say(task: &'static Task, address: usize, owner: i32) -> Option<Self> {
        static ORDER: Spin<()> = Spin::new(());
        let order = ORDER.lock();
        if closes_cycle(task, owner) {
            return None;
        }
        task.wants.store(address, Ordering::Relaxed);
        drop(order);
        Some(Self(task))
    }
}

impl Drop for Wants {
    fn drop(&mut self) {
        self.0.wants.store(0, Ordering::Relaxed);
    }
}

fn closes_cycle(task: &Task, mut owner: i32) -> bool {
    /// How far the kernel looks (`kernel.max_lock_depth`). What is longer is a deadlock to it.
    const LONGEST: usize = 1024;
    for _ in 0..LONGEST {
        if owner == task.id() {
            return true;
        }
        let wanted = task::find(owner).map_or(0, |owner| owner.wants.load(Ordering::Relaxed));
        if wanted == 0 {
            return false;
        }
        // The lock may be free by now, and its memory gone.
        owner = word(wanted).map_or(0, |now| i32::try_from(now & TID).unwrap_or(0));
    }
    true
}

/// A lock that a task wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lock {
    pub address: usize,
    pub is_shared: bool,
    pub only_try: bool,
    /// On CLOCK_MONOTONIC; `u64::MAX`: none.
    pub deadline: u64,
    /// The program's own time-out, absolute on its clock.
    pub timeout: usize,
    pub clock: i32,
}

fn wake_one(address: usize, is_shared: bool) {
    if is_shared {
        // SAFETY: wakes by address; touches nothing.
        let _ = unsafe { sys!(SYS_futex, address, libc::FUTEX_WAKE, 1) };
    } else {
        super::wake(address, 1, ANY);
    }
}

/// FUTEX_UNLOCK_PI.
pub(super) fn unlock(task: &Task, address: usize, is_shared: bool) -> SysResult {
    let me = u32::try_from(task.id()).unwrap_or(0);
    // It may be anything but a word of the caller's.
    if word(address)? & TID != me {
        return Err(Errno::PERM);
    }
    if address % 4 != 0 {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's word, which it asked to have unlocked.
    let old = unsafe { user::update(address, |now| (now & TID == me).then_some(0)) }?;
    if old & TID != me {
        return Err(Errno::PERM);
    }
    wake_one(address, is_shared);
    Ok(0)
}

impl Lock {
    /// FUTEX_LOCK_PI, FUTEX_LOCK_PI2 and FUTEX_TRYLOCK_PI.
    pub(super) async fn take(self, task: &'static Task) -> SysResult {
        self.take_after(task, 0).await
    }

    /// `waited` becomes `WAITERS` when there may be others who wait still: the bit makes the unlock come here.
    async fn take_after(self, task: &'static Task, mut waited: u32) -> SysResult {
        let me = u32::try_from(task.id()).unwrap_or(0);
        loop {
            let now = word(self.address)?;
            // SAFETY: the program's word, which it asked to have locked.
            let change =
                |to| unsafe { user::exchange(self.address, now, to) }.map(|was| was == now);
            if now & TID == 0 {
                if change(me | now & OWNER_DIED | waited)? {
                    return Ok(0);
                }
                continue;
            }
            if now & TID == me {
                return Err(Errno(libc::EDEADLK));
            }
            if self.only_try {
                return Err(Errno::AGAIN);
            }
            let owner = i32::try_from(now & TID).unwrap_or(0);
            if !self.is_shared && task::find(owner).is_none() {
                // It may have ended, and left the lock, in between.
                if word(self.address)? == now {
                    return Err(Errno::SRCH);
                }
                continue;
            }
            if now & WAITERS == 0 && !change(now | WAITERS)? {
                continue;
            }
            let Some(wants) = Wants::say(task, self.address, owner) else {
                return Err(Errno(libc::EDEADLK));
            };
            waited = WAITERS;
            let result = self.wait(task, now | WAITERS).await;
            drop(wants);
            match result {
                Ok(_) | Err(Errno::AGAIN) => {}
                Err(e) if e.is_restart() => return Err(Errno::RESTART_NOINTR),
                Err(e) => return Err(e),
            }
        }
    }

    /// Waits until somebody unlocks.
    async fn wait(&self, task: &'static Task, expected: u32) -> SysResult {
        if self.is_shared {
            self.wait_for(task, self.address, expected).await
        } else {
            wait(task, self.address, expected, self.deadline, ANY).await
        }
    }

    /// Waits on a word that other processes may share, until the lock's deadline.
    async fn wait_for(&self, task: &'static Task, address: usize, expected: u32) -> SysResult {
        let what = super::shared::What::One {
            address,
            expected,
            bits: ANY,
        };
        if let Some(ended) = super::shared::wait(task, what, self.deadline).await {
            return super::answer_of(ended, self.deadline);
        }
        let realtime = if self.clock == libc::CLOCK_REALTIME {
            libc::FUTEX_CLOCK_REALTIME
        } else {
            0
        };
        let operation = libc::FUTEX_WAIT_BITSET | realtime;
        #[allow(clippy::cast_sign_loss)]
        let args = [
            address,
            operation as usize,
            expected as usize,
            self.timeout,
            0,
            ANY as usize,
        ];
        pool::wait_there(task, libc::SYS_futex as usize, args).await
    }
}

/// FUTEX_WAIT_REQUEUE_PI: waits on one word, and comes back with the lock of another.
pub(super) async fn wait_requeue(
    task: &'static Task,
    address: usize,
    expected: u32,
    lock: Lock,
) -> SysResult {
    let woken = if lock.is_shared {
        lock.wait_for(task, address, expected).await
    } else {
        wait(task, address, expected, lock.deadline, ANY).await
    };
    match woken {
        // Woken with the lock free, or on the lock's own queue by an unlock: there may be others behind.
        Ok(_) => lock.take_after(task, WAITERS).await,
        // It starts again after any handler, and then finds the word changed or waits on.
        Err(e) if e.is_restart() => Err(Errno::RESTART_NOINTR),
        Err(e) => Err(e),
    }
}

/// The same where other processes may share the words. Who waits for the lock waits on its word, in the kernel's queue.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
pub(super) fn requeue_shared(
    from: usize,
    wake: u32,
    most: usize,
    to: usize,
    expected: u32,
) -> SysResult {
    let most = usize::try_from(most as i32).map_err(|_| Errno::INVAL)?;
    if wake != 1 {
        return Err(Errno::INVAL);
    }
    // The owner is to come here when it unlocks.
    let owned = |v: u32| (v & TID != 0).then_some(v | WAITERS);
    // SAFETY: the program's word, of a lock that it asked to have waited for.
    let free = unsafe { user::update(to, owned) }? & TID == 0;
    let (wake, most) = (usize::from(free), most + usize::from(!free));
    // SAFETY: moves and wakes those who wait on the program's words.
    let moved = unsafe {
        sys!(
            SYS_futex,
            from,
            libc::FUTEX_CMP_REQUEUE,
            wake,
            most.min(i32::MAX as usize),
            to,
            expected
        )
    }?;
    // It may have unlocked before they came there: then one of them takes the lock.
    if !free && word(to)? & TID == 0 {
        wake_one(to, true);
    }
    Ok(moved)
}

/// FUTEX_CMP_REQUEUE_PI: gives the lock, if it is free, to one who waits, and queues the others for it.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
pub(super) fn requeue(from: usize, wake: u32, most: usize, to: usize, expected: u32) -> SysResult {
    let most = usize::try_from(most as i32).map_err(|_| Errno::INVAL)?;
    if wake != 1 {
        return Err(Errno::INVAL);
    }
    let mut queues = Two::lock(Buckets, from, to);
    if word(from)? != expected {
        return Err(Errno::AGAIN);
    }
    let free = word(to)? & TID == 0;
    let woken = queues
        .first()
        .take(from, ANY, usize::from(free), Waiter::wake);
    let count = queues.requeue(from, to, most + 1 - woken);
    // The owner is to come here when it unlocks. If it has unlocked meanwhile, one of those who wait now takes the lock.
    let owned = |v: u32| (v & TID != 0).then_some(v | WAITERS);
    // SAFETY: the program's word, of a lock that it asked to have waited for.
    let told = unsafe { user::update(to, owned) };
    if told.is_ok_and(|was| was & TID == 0) && woken == 0 {
        queues.second().take(to, ANY, 1, Waiter::wake);
    }
    Ok(woken + count)
}
