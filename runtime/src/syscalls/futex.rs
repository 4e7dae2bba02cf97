//! Futexes: the one thing that locks, condition variables, joins and semaphores of libc ask the kernel for.
//!
//! Private ones never reach the kernel: a table of wait queues by address. Whether an address is private is a matter of its
//! mapping, not only of `FUTEX_PRIVATE_FLAG`: joins and some semaphores use the shared form on private memory. Futexes in memory
//! that another process may share are left to the kernel: waits by io_uring ([`shared`]) or a pool thread, wakes in line.
//!
//! Protocol. A waiter lives in its call's pinned future and is linked into a bucket's queue under the bucket's lock. A waker, under
//! the lock: unlinks it, wakes its task, and *then* stores `woken` (the last thing it does to the waiter, and Release). The waiter's
//! poll reads `woken` (Acquire) without the lock; if it is not set, the waiter takes the lock, so that a waker which has woken the
//! task but not come to the store is waited for. Drop does the same. So: a waiter that sees `woken` is not touched by anybody any
//! more, one that has the lock and is linked stays linked, and a wake-up is counted exactly when its waiter reports success: a
//! time-out or a signal that comes together with a wake-up loses against it.

pub(crate) mod multiple;
mod pi;
mod shared;

use super::quick::Answer as Answered;
use super::{Call, Outcome};
use crate::future::{until, Woken};
use crate::hub::Hub;
use crate::signal;
use crate::spin::{Guard, Spin};
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};
use crate::task::Task;
use crate::user;
use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::task::{Context, Poll};

const BUCKETS: usize = 1024;

/// One bucket: the waiters on all addresses that hash to it, oldest first.
#[derive(Debug)]
#[repr(align(64))]
struct Bucket(Spin<Queue>);

#[derive(Debug)]
struct Queue {
    first: *const Waiter,
    last: *const Waiter,
}

// SAFETY: the pointers are to linked waiters, which are alive and touched under the bucket's lock.
unsafe impl Send for Queue {}

static TABLE: [Bucket; BUCKETS] = [const {
    Bucket(Spin::new(Queue {
        first: ptr::null(),
        last: ptr::null(),
    }))
}; BUCKETS];

fn index(address: usize) -> usize {
    // Fibonacci hashing: neighbouring words and equal offsets in equal stacks spread alike.
    (address >> 2).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54
}

fn bucket(address: usize) -> &'static Bucket {
    &TABLE[index(address) & (BUCKETS - 1)]
}

/// The program's word at an aligned address. Whoever changed it before it took the lock that the caller has is seen.
fn word(address: usize) -> Result<u32, Errno> {
    // SAFETY: any bytes are a number.
    unsafe { read_user(address as *const u32) }
}

/// A task that waits on an address.
#[derive(Debug)]
struct Waiter {
    task: &'static Task,
    /// Under the lock of the bucket that it says: a requeue changes both.
    address: AtomicPtr<u32>,
    bits: u32,
    next: Cell<*const Waiter>,
    prev: Cell<*const Waiter>,
    linked: Cell<bool>,
    woken: AtomicBool,
    _pin: PhantomPinned,
}

impl Waiter {
    fn new(task: &'static Task, address: usize, bits: u32) -> Self {
        Self {
            task,
            address: AtomicPtr::new(address as *mut u32),
            bits,
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            linked: Cell::new(false),
            woken: AtomicBool::new(false),
            _pin: PhantomPinned,
        }
    }

    fn address(&self) -> usize {
        self.address.load(Ordering::Relaxed) as usize
    }

    /// Locks the bucket that the waiter is in, which a requeue may change until the lock is had.
    fn lock_bucket(&self) -> Guard<'static, Queue> {
        loop {
            let address = self.address();
            let queue = bucket(address).0.lock();
            if ptr::eq(bucket(self.address()), bucket(address)) {
                return queue;
            }
        }
    }

    /// Wakes the task; the caller holds the bucket's lock and has unlinked the waiter. The waiter is not touched after the store.
    fn wake(&self) {
        self.task.wake_near();
        self.woken.store(true, Ordering::Release);
    }
}

impl Queue {
    fn push(&mut self, waiter: &Waiter) {
        waiter.next.set(ptr::null());
        waiter.prev.set(self.last);
        // SAFETY: linked waiters are alive.
        match unsafe { self.last.as_ref() } {
            Some(last) => last.next.set(waiter),
            None => self.first = waiter,
        }
        self.last = waiter;
        waiter.linked.set(true);
    }

    fn unlink(&mut self, waiter: &Waiter) {
        let (prev, next) = (waiter.prev.get(), waiter.next.get());
        // SAFETY: linked waiters are alive.
        unsafe {
            match prev.as_ref() {
                Some(prev) => prev.next.set(next),
                None => self.first = next,
            }
            match next.as_ref() {
                Some(next) => next.prev.set(prev),
                None => self.last = prev,
            }
        }
        waiter.linked.set(false);
    }

    /// The oldest waiter on an address. It stays alive while the lock is held.
    fn find<'a>(&self, address: usize) -> Option<&'a Waiter> {
        let mut at = self.first;
        // SAFETY: linked waiters are alive.
        while let Some(waiter) = unsafe { at.as_ref() } {
            if waiter.address() == address {
                return Some(waiter);
            }
            at = waiter.next.get();
        }
        None
    }

    /// Unlinks up to `count` waiters on an address that share a bit with `bits`, oldest first, and gives each to `f`.
    fn take(
        &mut self,
        address: usize,
        bits: u32,
        count: usize,
        mut f: impl FnMut(&Waiter),
    ) -> usize {
        let mut taken = 0;
        let mut at = self.first;
        while taken < count {
            // SAFETY: linked waiters are alive while the lock is held.
            let Some(waiter) = (unsafe { at.as_ref() }) else {
                break;
            };
            at = waiter.next.get();
            if waiter.address() == address && waiter.bits & bits != 0 {
                self.unlink(waiter);
                f(waiter);
                taken += 1;
            }
        }
        taken
    }
}

/// Waits to be woken on an address, if the word there still is what was expected.
#[derive(Debug)]
struct Wait {
    waiter: Waiter,
    expected: u32,
    started: bool,
}

impl Future for Wait {
    type Output = Result<(), Errno>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out.
        let this = unsafe { self.get_unchecked_mut() };
        if this.started {
            if this.waiter.woken.load(Ordering::Acquire) {
                return Poll::Ready(Ok(()));
            }
            // A waker may be between waking the task and saying so: it holds the lock.
            let queue = this.waiter.lock_bucket();
            let woken = !this.waiter.linked.get();
            drop(queue);
            return if woken {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        }
        let address = this.waiter.address();
        let mut queue = bucket(address).0.lock();
        // Under the lock: a waker changes the word first and then takes the lock, so either we see its change or it sees us.
        match word(address) {
            Ok(now) if now == this.expected => {}
            Ok(_) => return Poll::Ready(Err(Errno::AGAIN)),
            Err(e) => return Poll::Ready(Err(e)),
        }
        this.started = true;
        queue.push(&this.waiter);
        Poll::Pending
    }
}

impl Wait {
    fn new(task: &'static Task, address: usize, expected: u32, bits: u32) -> Self {
        Self {
            waiter: Waiter::new(task, address, bits),
            expected,
            started: false,
        }
    }

    /// Leaves the queue. False if a waker came first: it has counted this waiter as woken.
    fn give_up(&self) -> bool {
        if !self.started {
            return true;
        }
        if self.waiter.woken.load(Ordering::Acquire) {
            return false;
        }
        let mut queue = self.waiter.lock_bucket();
        let linked = self.waiter.linked.get();
        if linked {
            queue.unlink(&self.waiter);
        }
        linked
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.give_up();
    }
}

const PRIVATE: i32 = libc::FUTEX_PRIVATE_FLAG;
const CLOCK_REALTIME: i32 = libc::FUTEX_CLOCK_REALTIME;
const ANY: u32 = u32::MAX;

/// What a futex call comes to.
enum Answer {
    Now(usize),
    Wait {
        expected: u32,
        deadline: u64,
        bits: u32,
        is_shared: bool,
    },
    LockPi(pi::Lock),
    WaitForPi {
        expected: u32,
        lock: pi::Lock,
    },
}

/// futex(2). Most calls wake and do not wait: they build no future.
pub(crate) fn futex(call: Call) -> Outcome {
    let address = call.args[0];
    match answer(&call) {
        Ok(Answer::Now(value)) => call.done(Ok(value)),
        Ok(Answer::Wait {
            expected,
            deadline,
            bits,
            is_shared: true,
        }) => super::run(call, wait_shared(call, address, expected, deadline, bits)),
        Ok(Answer::Wait {
            expected,
            deadline,
            bits,
            is_shared: false,
        }) => {
            let task = call.task;
            if deadline != u64::MAX {
                return super::run(call, wait(task, address, expected, deadline, bits));
            }
            let wait = Wait::new(task, address, expected, bits);
            let outcome = super::run(call, Untimed(wait));
            // All that it holds is its place in the queue here.
            task.portable.set(true);
            outcome
        }
        Ok(Answer::LockPi(lock)) => {
            let outcome = super::run(call, lock.take(call.task));
            call.task
                .portable
                .set(!lock.is_shared && lock.deadline == u64::MAX);
            outcome
        }
        Ok(Answer::WaitForPi { expected, lock }) => {
            super::run(call, pi::wait_requeue(call.task, address, expected, lock))
        }
        Err(e) => call.done(Err(e)),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn answer(call: &Call) -> Result<Answer, Errno> {
    let [address, op, value, fourth, second, third] = call.args;
    let (op, value, third) = (op as i32, value as u32, third as u32);
    let command = op & !(PRIVATE | CLOCK_REALTIME);
    if address % 4 != 0 {
        return Err(Errno::INVAL);
    }
    if !sys::plausible(address) {
        return Err(Errno::FAULT);
    }
    let takes_clock = [
        libc::FUTEX_WAIT_BITSET,
        libc::FUTEX_WAIT_REQUEUE_PI,
        libc::FUTEX_LOCK_PI2,
    ]
    .contains(&command);
    if op & CLOCK_REALTIME != 0 && !takes_clock {
        return Err(Errno(libc::ENOSYS));
    }
    let is_shared = op & PRIVATE == 0 && super::memory::is_shared(address);
    let is_wait = [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET].contains(&command);
    if is_shared && !is_wait && !pi::is_own(command) {
        return call.raw().map(Answer::Now);
    }
    // SAFETY: the program's timespec.
    let time = || unsafe { read_user(fourth as *const libc::timespec) };
    let at = |clock| {
        if fourth == 0 {
            Ok(u64::MAX)
        } else {
            super::time::deadline_at(clock, time()?)
        }
    };
    let clock = if op & CLOCK_REALTIME != 0 {
        libc::CLOCK_REALTIME
    } else {
        libc::CLOCK_MONOTONIC
    };
    match command {
        libc::FUTEX_WAIT => {
            // Relative, whatever the clock.
            let deadline = if fourth == 0 {
                u64::MAX
            } else {
                super::time::deadline_after(time()?)?
            };
            Ok(Answer::Wait {
                expected: value,
                deadline,
                bits: ANY,
                is_shared,
            })
        }
        libc::FUTEX_WAIT_BITSET | libc::FUTEX_WAKE_BITSET if third == 0 => Err(Errno::INVAL),
        libc::FUTEX_WAIT_BITSET => Ok(Answer::Wait {
            expected: value,
            deadline: at(clock)?,
            bits: third,
            is_shared,
        }),
        libc::FUTEX_WAKE => Ok(Answer::Now(wake(address, value as usize, ANY))),
        libc::FUTEX_WAKE_BITSET => Ok(Answer::Now(wake(address, value as usize, third))),
        libc::FUTEX_REQUEUE => {
            requeue(address, value as i32, fourth as i32, second, None).map(Answer::Now)
        }
        libc::FUTEX_CMP_REQUEUE => {
            requeue(address, value as i32, fourth as i32, second, Some(third)).map(Answer::Now)
        }
        libc::FUTEX_WAKE_OP => {
            wake_op(address, value as usize, fourth, second, third).map(Answer::Now)
        }
        libc::FUTEX_LOCK_PI | libc::FUTEX_LOCK_PI2 | libc::FUTEX_TRYLOCK_PI => {
            let clock = if command == libc::FUTEX_LOCK_PI {
                libc::CLOCK_REALTIME
            } else {
                clock
            };
            let only_try = command == libc::FUTEX_TRYLOCK_PI;
            Ok(Answer::LockPi(pi::Lock {
                address,
                is_shared,
                only_try,
                deadline: if only_try { u64::MAX } else { at(clock)? },
                timeout: fourth,
                clock,
            }))
        }
        libc::FUTEX_UNLOCK_PI => pi::unlock(call.task, address, is_shared).map(Answer::Now),
        libc::FUTEX_WAIT_REQUEUE_PI => {
            pi::check_two(address, second)?;
            let lock = pi::Lock {
                address: second,
                is_shared,
                only_try: false,
                deadline: at(clock)?,
                timeout: fourth,
                clock,
            };
            Ok(Answer::WaitForPi {
                expected: value,
                lock,
            })
        }
        libc::FUTEX_CMP_REQUEUE_PI => {
            pi::check_two(address, second)?;
            let requeue = if is_shared {
                pi::requeue_shared
            } else {
                pi::requeue
            };
            requeue(address, value, fourth, second, third).map(Answer::Now)
        }
        _ => Err(Errno(libc::ENOSYS)),
    }
}

/// Waits on a private address until woken (`Ok(0)`), the deadline (`ETIMEDOUT`) or a signal.
async fn wait(
    task: &'static Task,
    address: usize,
    expected: u32,
    deadline: u64,
    bits: u32,
) -> SysResult {
    let wait = Wait::new(task, address, expected, bits);
    if deadline == u64::MAX {
        return Untimed(wait).await;
    }
    let mut wait = std::pin::pin!(wait);
    let ended = match until(task, wait.as_mut(), deadline).await {
        Woken::Ready(result) => Woken::Ready(result.map(|()| 0)),
        // A waker came between the look at the waiter and the look at the clock, and counts on having woken somebody.
        _ if !wait.give_up() => Woken::Ready(Ok(0)),
        Woken::Timeout => Woken::Timeout,
        Woken::Signal => Woken::Signal,
    };
    answer_of(ended, deadline)
}

/// The same without a deadline, which is what most waits are: by hand, as they make out most of what a switch of tasks costs.
#[derive(Debug)]
struct Untimed(Wait);

impl Future for Untimed {
    type Output = SysResult;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SysResult> {
        // SAFETY: the wait is moved no more than this is.
        let mut wait = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        if let Poll::Ready(result) = wait.as_mut().poll(cx) {
            return Poll::Ready(result.map(|()| 0));
        }
        if !signal::interrupts(wait.waiter.task) {
            return Poll::Pending;
        }
        // As above, and as the kernel: restarted after SA_RESTART.
        Poll::Ready(if wait.give_up() {
            Err(Errno::RESTART_SYS)
        } else {
            Ok(0)
        })
    }
}

/// Wakes up to `count` waiters on a private address; gives how many.
pub(crate) fn wake(address: usize, count: usize, bits: u32) -> usize {
    // The kernel wakes one even when asked for none.
    bucket(address)
        .0
        .lock()
        .take(address, bits, count.max(1), Waiter::wake)
}

/// FUTEX_WAKE of one waiter or none, of this hub's tasks, as [`quick`](super::quick) answers it: address, operation, count.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
pub(super) fn wake_here(here: &'static Hub, [address, op, count]: [usize; 3]) -> Answered {
    let op = op as i32;
    if op & !PRIVATE != libc::FUTEX_WAKE || address % 4 != 0 || !sys::plausible(address) {
        return Answered::None;
    }
    if op & PRIVATE == 0 && super::memory::is_shared(address) {
        return Answered::None;
    }
    let mut queue = bucket(address).0.lock();
    let Some(waiter) = queue.find(address) else {
        return Answered::Is(0);
    };
    // Others have hubs of which more is to be thought.
    if count as u32 > 1 || !ptr::eq(waiter.task.hub(), here) {
        return Answered::None;
    }
    queue.unlink(waiter);
    waiter.task.wake_at(here);
    waiter.woken.store(true, Ordering::Release);
    Answered::Is(1)
}

/// Locks the buckets of two addresses in the table's order, once if they are the same.
fn lock_two(a: usize, b: usize) -> (Guard<'static, Queue>, Option<Guard<'static, Queue>>, bool) {
    let (i, j) = (index(a) & (BUCKETS - 1), index(b) & (BUCKETS - 1));
    match i.cmp(&j) {
        std::cmp::Ordering::Equal => (TABLE[i].0.lock(), None, false),
        std::cmp::Ordering::Less => {
            let first = TABLE[i].0.lock();
            (first, Some(TABLE[j].0.lock()), false)
        }
        std::cmp::Ordering::Greater => {
            let second = TABLE[j].0.lock();
            (second, Some(TABLE[i].0.lock()), true)
        }
    }
}

/// Wakes some waiters on an address and moves others to another one.
fn requeue(from: usize, wake: i32, move_: i32, to: usize, expected: Option<u32>) -> SysResult {
    if to % 4 != 0 || wake < 0 || move_ < 0 {
        return Err(Errno::INVAL);
    }
    if !sys::plausible(to) {
        return Err(Errno::FAULT);
    }
    let (mut a, mut b, swapped) = lock_two(from, to);
    if let Some(expected) = expected {
        if word(from)? != expected {
            return Err(Errno::AGAIN);
        }
    }
    let mut moved = Vec::new();
    let source: &mut Queue = match (&mut b, swapped) {
        (Some(b), true) => b,
        _ => &mut a,
    };
    let woken = source.take(from, ANY, wake as usize, Waiter::wake);
    let count = source.take(from, ANY, move_ as usize, |w| moved.push(ptr::from_ref(w)));
    let target: &mut Queue = match (&mut b, swapped) {
        (Some(b), false) => b,
        _ => &mut a,
    };
    for waiter in moved {
        // SAFETY: unlinked under both locks, it cannot go before it gets one of them.
        let waiter = unsafe { &*waiter };
        waiter.address.store(to as *mut u32, Ordering::Relaxed);
        target.push(waiter);
    }
    Ok(woken + count)
}

/// FUTEX_WAKE_OP: changes a second word, wakes on the first, and on the second if its old value compares.
fn wake_op(
    address: usize,
    count: usize,
    second_count: usize,
    second: usize,
    code: u32,
) -> SysResult {
    if second % 4 != 0 {
        return Err(Errno::INVAL);
    }
    if !sys::plausible(second) {
        return Err(Errno::FAULT);
    }
    let sign_extended = |v: u32| ((v << 20) as i32 >> 20) as u32;
    let (op, cmp) = (code >> 28 & 7, code >> 24 & 15);
    let (mut oparg, cmparg) = (
        sign_extended(code >> 12 & 0xfff),
        sign_extended(code & 0xfff),
    );
    if code >> 28 & 8 != 0 {
        oparg = 1u32.wrapping_shl(oparg & 31);
    }
    let change: fn(u32, u32) -> u32 = match op {
        0 => |_, arg| arg,
        1 => u32::wrapping_add,
        2 => |old, arg| old | arg,
        3 => |old, arg| old & !arg,
        4 => |old, arg| old ^ arg,
        _ => return Err(Errno(libc::ENOSYS)),
    };
    let compare: fn(&i32, &i32) -> bool = match cmp {
        0 => i32::eq,
        1 => i32::ne,
        2 => i32::lt,
        3 => i32::le,
        4 => i32::gt,
        5 => i32::ge,
        _ => return Err(Errno(libc::ENOSYS)),
    };
    let (mut a, mut b, swapped) = lock_two(address, second);
    // SAFETY: the program's word, which it asked to have changed.
    let old = unsafe { user::update(second, |old| Some(change(old, oparg))) }?;
    let mut woken = {
        let first: &mut Queue = match (&mut b, swapped) {
            (Some(b), true) => b,
            _ => &mut a,
        };
        first.take(address, ANY, count.max(1), Waiter::wake)
    };
    if compare(&(old as i32), &(cmparg as i32)) {
        let other: &mut Queue = match (&mut b, swapped) {
            (Some(b), false) => b,
            _ => &mut a,
        };
        woken += other.take(second, ANY, second_count.max(1), Waiter::wake);
    }
    Ok(woken)
}

/// Waits on a word that other processes may share, in the kernel's own queue.
async fn wait_shared(
    call: Call,
    address: usize,
    expected: u32,
    deadline: u64,
    bits: u32,
) -> SysResult {
    // Without a hop when the word has changed already, or the time is up.
    if word(address)? != expected {
        return Err(Errno::AGAIN);
    }
    if deadline <= sys::now(libc::CLOCK_MONOTONIC) {
        return call.raw();
    }
    let what = shared::What::One {
        address,
        expected,
        bits,
    };
    match shared::wait(call.task, what, deadline).await {
        Some(ended) => answer_of(ended, deadline),
        None => match super::waits_in_pool(call).await {
            Err(e) if e.is_restart() => Err(interrupted(deadline)),
            result => result,
        },
    }
}

/// What a wait on one word answers.
fn answer_of(ended: Woken<SysResult>, deadline: u64) -> SysResult {
    match ended {
        Woken::Ready(result) => result,
        Woken::Timeout => Err(Errno::TIMEDOUT),
        Woken::Signal => Err(interrupted(deadline)),
    }
}

/// As the kernel: a wait without a time-out is restarted after SA_RESTART, one with a time-out is not.
fn interrupted(deadline: u64) -> Errno {
    if deadline == u64::MAX {
        Errno::RESTART_SYS
    } else {
        Errno::RESTART_NOHAND
    }
}

/// Stores 0 where a thread's end is waited for, and wakes the waiters: `CLONE_CHILD_CLEARTID`.
pub(crate) fn clear_tid(address: usize) {
    if !sys::plausible(address) || address % 4 != 0 {
        return;
    }
    // SAFETY: the program named the word for this purpose. As in the kernel nobody hears of it if it is not there.
    let _ = unsafe { user::write(address as *mut u32, 0) };
    std::sync::atomic::fence(Ordering::SeqCst);
    wake(address, 1, ANY);
    if super::memory::is_shared(address) {
        // SAFETY: wakes by address; touches nothing.
        let _ = unsafe { sys!(SYS_futex, address, libc::FUTEX_WAKE, 1) };
    }
}

/// In a forked child that begins anew: nobody waits, and no lock is held (the world stood still).
pub(crate) fn reset() {
    shared::reset();
    for bucket in &TABLE {
        *bucket.0.lock() = Queue {
            first: ptr::null(),
            last: ptr::null(),
        };
    }
}
