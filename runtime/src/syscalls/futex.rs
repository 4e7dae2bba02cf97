//! Futexes: the one thing that locks, condition variables, joins and semaphores of libc ask the kernel for.
//!
//! Private ones never reach the kernel: a table of wait queues by address. Whether an address is private is a matter of its
//! mapping, not only of `FUTEX_PRIVATE_FLAG`: joins and some semaphores use the shared form on private memory. Futexes in memory
//! that another process may share are left to the kernel: waits by io_uring ([`shared`]) or a pool thread, wakes in line.
//!
//! [`queue`] has the queues, and says why no wake-up is lost.

pub(crate) mod multiple;
mod pi;
mod queue;
mod shared;

use super::quick::Answer as Answered;
use super::{Call, Outcome};
use crate::future::{until, Woken};
use crate::hub::{balance, Hub};
use crate::signal;
use crate::spin::Spin;
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};
use crate::task::Task;
use crate::user;
use queue::{Queue, Sleeper, Table, Two, Waiter, ANY};
use std::future::Future;
use std::pin::Pin;
use std::ptr;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

const BUCKETS: usize = 1024;

/// One bucket: the waiters on all addresses that hash to it.
#[derive(Debug)]
#[repr(align(64))]
struct Bucket(Spin<Queue<&'static Task>>);

static TABLE: [Bucket; BUCKETS] = [const { Bucket(Spin::new(Queue::new())) }; BUCKETS];

/// The buckets of this process.
#[derive(Clone, Copy, Debug)]
struct Buckets;

impl Table<&'static Task> for Buckets {
    fn place(self, address: usize) -> usize {
        // Fibonacci hashing: neighbouring words and equal offsets in equal stacks spread alike.
        let hash = (address >> 2).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
        hash & (BUCKETS - 1)
    }

    fn bucket(self, place: usize) -> &'static Spin<Queue<&'static Task>> {
        &TABLE[place].0
    }
}

fn bucket(address: usize) -> &'static Spin<Queue<&'static Task>> {
    Buckets.bucket(Buckets.place(address))
}

impl Sleeper for &'static Task {
    fn wake(&self) {
        self.wake_near();
    }
}

/// The program's word at an aligned address. Whoever changed it before it took the lock that the caller has is seen.
fn word(address: usize) -> Result<u32, Errno> {
    // SAFETY: any bytes are a number.
    unsafe { read_user(address as *const u32) }
}

/// Waits to be woken on an address, if the word there still is what was expected.
#[derive(Debug)]
struct Wait {
    waiter: Waiter<&'static Task>,
    expected: u32,
    started: bool,
}

impl Future for Wait {
    type Output = Result<(), Errno>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: nothing is moved out.
        let this = unsafe { self.get_unchecked_mut() };
        if this.started {
            return if this.waiter.is_woken(Buckets) {
                Poll::Ready(Ok(()))
            } else {
                Poll::Pending
            };
        }
        let expected = this.expected;
        let as_expected = |address| {
            if word(address)? == expected {
                Ok(())
            } else {
                Err(Errno::AGAIN)
            }
        };
        match this.waiter.queue(Buckets, as_expected) {
            Ok(()) => {
                this.started = true;
                Poll::Pending
            }
            Err(e) => Poll::Ready(Err(e)),
        }
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
        !self.started || self.waiter.leave(Buckets)
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.give_up();
    }
}

const PRIVATE: i32 = libc::FUTEX_PRIVATE_FLAG;
const CLOCK_REALTIME: i32 = libc::FUTEX_CLOCK_REALTIME;

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
            if balance::may_linger(task.hub()) && changes_soon(address, expected) {
                return call.done(Err(Errno::AGAIN));
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
    let clock = if op & CLOCK_REALTIME != 0 {
        libc::CLOCK_REALTIME
    } else {
        libc::CLOCK_MONOTONIC
    };
    // What is wrong is found in the kernel's order.
    let deadline = match command {
        _ if fourth == 0 => u64::MAX,
        libc::FUTEX_WAIT
        | libc::FUTEX_WAIT_BITSET
        | libc::FUTEX_WAIT_REQUEUE_PI
        | libc::FUTEX_LOCK_PI
        | libc::FUTEX_LOCK_PI2 => {
            // SAFETY: the program's timespec.
            let time = unsafe { read_user(fourth as *const libc::timespec) }?;
            match command {
                libc::FUTEX_WAIT => super::time::deadline_after(time)?,
                libc::FUTEX_LOCK_PI => super::time::deadline_at(libc::CLOCK_REALTIME, time)?,
                _ => super::time::deadline_at(clock, time)?,
            }
        }
        _ => u64::MAX,
    };
    let takes_clock = [
        libc::FUTEX_WAIT_BITSET,
        libc::FUTEX_WAIT_REQUEUE_PI,
        libc::FUTEX_LOCK_PI2,
    ]
    .contains(&command);
    if op & CLOCK_REALTIME != 0 && !takes_clock {
        return Err(Errno(libc::ENOSYS));
    }
    check(command, call.args, op & PRIVATE != 0)?;
    let two = [
        libc::FUTEX_REQUEUE,
        libc::FUTEX_CMP_REQUEUE,
        libc::FUTEX_WAKE_OP,
    ];
    let is_shared = op & PRIVATE == 0 && super::memory::is_shared(address);
    if op & PRIVATE == 0 && two.contains(&command) && super::memory::is_shared(second) != is_shared
    {
        return across(command, call.args, is_shared).map(Answer::Now);
    }
    let is_wait = [libc::FUTEX_WAIT, libc::FUTEX_WAIT_BITSET].contains(&command);
    if is_shared && !is_wait && !pi::is_own(command) {
        return call.raw().map(Answer::Now);
    }
    match command {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => Ok(Answer::Wait {
            expected: value,
            deadline,
            bits: if command == libc::FUTEX_WAIT {
                ANY
            } else {
                third
            },
            is_shared,
        }),
        libc::FUTEX_WAKE => Ok(Answer::Now(wake(address, at_least_one(value), ANY))),
        libc::FUTEX_WAKE_BITSET => Ok(Answer::Now(wake(address, at_least_one(value), third))),
        libc::FUTEX_REQUEUE => {
            requeue(address, value as i32, fourth as i32, second, None).map(Answer::Now)
        }
        libc::FUTEX_CMP_REQUEUE => {
            requeue(address, value as i32, fourth as i32, second, Some(third)).map(Answer::Now)
        }
        libc::FUTEX_WAKE_OP => wake_op(
            address,
            at_least_one(value),
            at_least_one(fourth as u32),
            second,
            third,
        )
        .map(Answer::Now),
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
                deadline,
                timeout: fourth,
                clock,
            }))
        }
        libc::FUTEX_UNLOCK_PI => pi::unlock(call.task, address, is_shared).map(Answer::Now),
        libc::FUTEX_WAIT_REQUEUE_PI => {
            let lock = pi::Lock {
                address: second,
                is_shared,
                only_try: false,
                deadline,
                timeout: fourth,
                clock,
            };
            Ok(Answer::WaitForPi {
                expected: value,
                lock,
            })
        }
        libc::FUTEX_CMP_REQUEUE_PI => {
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

/// Whether a word changes within half a microsecond: about what the locks of a busy program are held for, and far less than to sleep and be woken.
fn changes_soon(address: usize, expected: u32) -> bool {
    /// So many `pause`s: 40 to 140 cycles each.
    const LOOKS: u32 = 10;
    (0..LOOKS).any(|_| {
        std::hint::spin_loop();
        word(address).is_ok_and(|now| now != expected)
    })
}

/// Whether there can be a word. The private form does not look (nothing is in the first page, but nobody waits there); the other asks what
/// memory there is.
fn is_word(address: usize, is_private: bool) -> Result<(), Errno> {
    match address {
        a if a % 4 != 0 => Err(Errno::INVAL),
        a if !sys::plausible(a | 4096) => Err(Errno::FAULT),
        _ if is_private => Ok(()),
        _ => word(address).map(|_| ()),
    }
}

/// Whether an operation is known, and its arguments can be.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn check(command: i32, args: [usize; 6], is_private: bool) -> Result<(), Errno> {
    let is_word = |address| is_word(address, is_private);
    let [first, _, value, fourth, second, third] = args;
    let (value, fourth, third) = (value as i32, fourth as i32, third as u32);
    match command {
        libc::FUTEX_WAIT_BITSET | libc::FUTEX_WAKE_BITSET if third == 0 => Err(Errno::INVAL),
        libc::FUTEX_REQUEUE | libc::FUTEX_CMP_REQUEUE | libc::FUTEX_CMP_REQUEUE_PI
            if value < 0 || fourth < 0 =>
        {
            Err(Errno::INVAL)
        }
        libc::FUTEX_CMP_REQUEUE_PI if first == second || value != 1 => Err(Errno::INVAL),
        libc::FUTEX_WAIT_REQUEUE_PI if first == second => Err(Errno::INVAL),
        libc::FUTEX_WAIT_REQUEUE_PI => is_word(second).and_then(|()| is_word(first)),
        libc::FUTEX_REQUEUE
        | libc::FUTEX_CMP_REQUEUE
        | libc::FUTEX_CMP_REQUEUE_PI
        | libc::FUTEX_WAKE_OP => is_word(first).and_then(|()| is_word(second)),
        // It looks whose the lock is first.
        libc::FUTEX_UNLOCK_PI => Ok(()),
        libc::FUTEX_WAIT
        | libc::FUTEX_WAIT_BITSET
        | libc::FUTEX_WAKE
        | libc::FUTEX_WAKE_BITSET
        | libc::FUTEX_LOCK_PI
        | libc::FUTEX_LOCK_PI2
        | libc::FUTEX_TRYLOCK_PI => is_word(first),
        _ => Err(Errno(libc::ENOSYS)),
    }
}

/// An operation on two words, of which one is the kernel's and the other is not: their queues are apart. Who would be moved is woken, for
/// nothing as far as it can tell, and looks again.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
fn across(command: i32, args: [usize; 6], first_is_shared: bool) -> SysResult {
    let [first, _, value, fourth, second, third] = args;
    let third = third as u32;
    let wake_there = |address: usize, count: usize| {
        let count = count.min(i32::MAX as usize);
        // SAFETY: wakes by address; touches nothing.
        unsafe { sys!(SYS_futex, address, libc::FUTEX_WAKE, count) }
    };
    if command == libc::FUTEX_WAKE_OP {
        let (change, compare) = WakeOp::of(third)?;
        // SAFETY: the program's word, which it asked to have changed.
        let old = unsafe { user::update(second, |old| Some(change.apply(old))) }?;
        let wake_one = |address, count, is_shared| {
            if is_shared {
                wake_there(address, count)
            } else {
                Ok(wake(address, count, ANY))
            }
        };
        let mut woken = wake_one(first, at_least_one(value as u32), first_is_shared)?;
        if compare.holds(old) {
            woken += wake_one(second, at_least_one(fourth as u32), !first_is_shared)?;
        }
        return Ok(woken);
    }
    let count = (value as i32 as usize).saturating_add(fourth as i32 as usize);
    if first_is_shared {
        let operation = command;
        // SAFETY: wakes by address; reads the program's word.
        return unsafe {
            sys!(
                SYS_futex,
                first,
                operation,
                count.min(i32::MAX as usize),
                0,
                first,
                third
            )
        };
    }
    let mut queue = bucket(first).lock();
    if command == libc::FUTEX_CMP_REQUEUE && word(first)? != third {
        return Err(Errno::AGAIN);
    }
    Ok(queue.take(first, ANY, count, Waiter::wake))
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
        if !signal::interrupts(wait.waiter.sleeper) {
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

/// How many to wake: the kernel wakes one even when asked for none, and takes the number for a signed one.
#[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]
fn at_least_one(count: u32) -> usize {
    (count as i32).max(1) as usize
}

/// Wakes up to `count` waiters on a private address; gives how many.
pub(crate) fn wake(address: usize, count: usize, bits: u32) -> usize {
    bucket(address)
        .lock()
        .take(address, bits, count, Waiter::wake)
}

/// FUTEX_WAKE of one waiter or none, of this hub's tasks, as [`quick`](super::quick) answers it: address, operation, count.
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
pub(super) fn wake_here(here: &'static Hub, [address, op, count]: [usize; 3]) -> Answered {
    let op = op as i32;
    // (The shared form asks what memory is there.)
    if op != libc::FUTEX_WAKE | PRIVATE || address % 4 != 0 || !sys::plausible(address) {
        return Answered::None;
    }
    let mut queue = bucket(address).lock();
    let Some(waiter) = queue.find(address) else {
        return Answered::Is(0);
    };
    // Others have hubs of which more is to be thought.
    if count as u32 > 1 || !ptr::eq(waiter.sleeper.hub(), here) {
        return Answered::None;
    }
    queue.unlink(waiter);
    waiter.wake_by(|task| task.wake_at(here));
    Answered::Is(1)
}

/// Wakes some waiters on an address and moves others to another one.
fn requeue(from: usize, wake: i32, move_: i32, to: usize, expected: Option<u32>) -> SysResult {
    if wake < 0 || move_ < 0 {
        return Err(Errno::INVAL);
    }
    is_word(to, true)?;
    let mut queues = Two::lock(Buckets, from, to);
    if let Some(expected) = expected {
        if word(from)? != expected {
            return Err(Errno::AGAIN);
        }
    }
    let woken = queues.first().take(from, ANY, wake as usize, Waiter::wake);
    Ok(woken + queues.requeue(from, to, move_ as usize))
}

/// What FUTEX_WAKE_OP does to a word.
#[derive(Clone, Copy, Debug)]
struct WakeOp {
    change: fn(u32, u32) -> u32,
    argument: u32,
}

/// What it asks of the word's old value.
#[derive(Clone, Copy, Debug)]
struct Comparison {
    compare: fn(&i32, &i32) -> bool,
    with: i32,
}

impl WakeOp {
    #[allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]
    fn of(code: u32) -> Result<(Self, Comparison), Errno> {
        let sign_extended = |v: u32| (v << 20) as i32 >> 20;
        let mut argument = sign_extended(code >> 12 & 0xfff) as u32;
        if code >> 28 & 8 != 0 {
            argument = 1u32.wrapping_shl(argument & 31);
        }
        let change: fn(u32, u32) -> u32 = match code >> 28 & 7 {
            0 => |_, arg| arg,
            1 => u32::wrapping_add,
            2 => |old, arg| old | arg,
            3 => |old, arg| old & !arg,
            4 => |old, arg| old ^ arg,
            _ => return Err(Errno(libc::ENOSYS)),
        };
        let compare: fn(&i32, &i32) -> bool = match code >> 24 & 15 {
            0 => i32::eq,
            1 => i32::ne,
            2 => i32::lt,
            3 => i32::le,
            4 => i32::gt,
            5 => i32::ge,
            _ => return Err(Errno(libc::ENOSYS)),
        };
        let with = sign_extended(code & 0xfff);
        Ok((Self { change, argument }, Comparison { compare, with }))
    }

    fn apply(self, old: u32) -> u32 {
        (self.change)(old, self.argument)
    }
}

impl Comparison {
    #[allow(clippy::cast_possible_wrap)]
    fn holds(self, old: u32) -> bool {
        (self.compare)(&(old as i32), &self.with)
    }
}

/// FUTEX_WAKE_OP: changes a second word, wakes on the first, and on the second if its old value compares.
fn wake_op(
    address: usize,
    count: usize,
    second_count: usize,
    second: usize,
    code: u32,
) -> SysResult {
    let (change, compare) = WakeOp::of(code)?;
    let mut queues = Two::lock(Buckets, address, second);
    // SAFETY: the program's word, which it asked to have changed.
    let old = unsafe { user::update(second, |old| Some(change.apply(old))) }?;
    let mut woken = queues.first().take(address, ANY, count, Waiter::wake);
    if compare.holds(old) {
        woken += queues
            .second()
            .take(second, ANY, second_count, Waiter::wake);
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
        *bucket.0.lock() = Queue::new();
    }
}
