//! futex2: the calls that take one word's description each, and waits for many words (futex_waitv(2), futex_wake(2) and kin).

use super::shared::{Waiting, What};
use super::{requeue, shared, wait, wait_shared, wake, Wait, ANY};
use crate::future::{until, Woken};
use crate::pool;
use crate::sys;
use crate::sys::{read_user, Errno, SysResult};
use crate::syscalls::{memory, time, waits_in_pool, Call};
use crate::task::Task;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

/// `struct futex_waitv`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

const MOST: u32 = 128;
const PRIVATE: u32 = 128;
const SIZE_U32: u32 = 2;

/// Whether the flags are of a word that is answered here: of 32 bits, with no NUMA node next to it.
fn is_plain(flags: u32) -> bool {
    flags & !PRIVATE == SIZE_U32
}

fn is_shared(flags: u32, address: usize) -> bool {
    flags & PRIVATE == 0 && memory::is_shared(address)
}

fn check(address: usize) -> Result<(), Errno> {
    match address {
        a if a % 4 != 0 => Err(Errno::INVAL),
        a if !sys::plausible(a) => Err(Errno::FAULT),
        _ => Ok(()),
    }
}

/// The absolute time-out of these calls.
fn deadline(timeout: *const libc::timespec, clock: i32) -> Result<u64, Errno> {
    if timeout.is_null() {
        return Ok(u64::MAX);
    }
    if clock != libc::CLOCK_MONOTONIC && clock != libc::CLOCK_REALTIME {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's timespec.
    time::deadline_at(clock, unsafe { read_user(timeout) }?)
}

/// Waits for any of several words.
struct WaitMany(Box<[Wait]>);

impl Future for WaitMany {
    type Output = SysResult;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SysResult> {
        let mut woken = None;
        for at in 0..self.0.len() {
            // SAFETY: the boxed waits stay where they are until this is dropped.
            match unsafe { Pin::new_unchecked(&mut self.0[at]) }.poll(cx) {
                Poll::Pending => {}
                // The kernel names the last one.
                Poll::Ready(Ok(())) => woken = Some(at),
                Poll::Ready(Err(e)) => return Poll::Ready(self.give_up().ok_or(e)),
            }
        }
        woken.map_or(Poll::Pending, |at| {
            Poll::Ready(Ok(self.give_up().unwrap_or(at)))
        })
    }
}

impl WaitMany {
    /// For words by address and what is expected there.
    fn new(task: &'static Task, words: &[(usize, u32)]) -> Self {
        let wait = |(address, expected): &(usize, u32)| Wait::new(task, *address, *expected, ANY);
        Self(words.iter().map(wait).collect())
    }

    /// Leaves all queues. Gives the last of those that a waker has counted.
    fn give_up(&self) -> Option<usize> {
        let mut woken = None;
        for (at, wait) in self.0.iter().enumerate() {
            if !wait.give_up() {
                woken = Some(at);
            }
        }
        woken
    }
}

/// futex_waitv(2).
pub(crate) async fn futex_waitv(
    call: Call,
    words: *const Word,
    count: u32,
    flags: u32,
    timeout: *const libc::timespec,
    clock: i32,
) -> SysResult {
    if flags != 0 || !(1..=MOST).contains(&count) || words.is_null() {
        return Err(Errno::INVAL);
    }
    let deadline = deadline(timeout, clock)?;
    let mut here = Vec::with_capacity(count as usize);
    let mut places = Vec::with_capacity(count as usize);
    let mut shared = Vec::new();
    for at in 0..count as usize {
        // SAFETY: the program's array.
        let word = unsafe { read_user(words.wrapping_add(at)) }?;
        let (Ok(expected), true) = (u32::try_from(word.value), is_plain(word.flags)) else {
            // What is odd is the kernel's to judge.
            return waits_in_pool(call).await;
        };
        let address = word.address as usize;
        if word.reserved != 0 {
            return Err(Errno::INVAL);
        }
        check(address)?;
        if is_shared(word.flags, address) {
            shared.push((word, at));
            continue;
        }
        places.push(at);
        here.push((address, expected));
    }
    if here.is_empty() {
        let what = What::Many(shared.into_iter().map(|(word, _)| word).collect());
        return match shared::wait(call.task, what, deadline).await {
            Some(Woken::Ready(result)) => result,
            Some(Woken::Timeout) => Err(Errno::TIMEDOUT),
            Some(Woken::Signal) => Err(Errno::RESTART_SYS),
            None => match waits_in_pool(call).await {
                Err(e) if e.is_restart() => Err(Errno::RESTART_SYS),
                result => result,
            },
        };
    }
    let mut waits = std::pin::pin!(WaitMany::new(call.task, &here));
    if !shared.is_empty() {
        let what = What::Many(shared.iter().map(|(word, _)| *word).collect());
        if let Some(there) = Waiting::begin(call.task, what) {
            let waits = waits.as_mut();
            let result = wait_both(call.task, waits, &places, there, &shared, deadline).await;
            if result != Err(Errno::NOMEM) {
                return result;
            }
            // It is not to be had after all.
        }
        waits.set(WaitMany::new(call.task, &here));
        if call.hub().is_lone() {
            return wait_by_turns(call, waits, &places, &shared, deadline).await;
        }
        return wait_both_by_thread(call, waits, &places, &shared).await;
    }
    match until(call.task, waits.as_mut(), deadline).await {
        Woken::Ready(result) => result,
        ended => match (waits.give_up(), ended) {
            (Some(at), _) => Ok(at),
            (None, Woken::Timeout) => Err(Errno::TIMEDOUT),
            (None, _) => Err(Errno::RESTART_SYS),
        },
    }
}

/// Waits for private words here and for shared ones in the kernel's queue.
async fn wait_both(
    task: &'static Task,
    mut waits: Pin<&mut WaitMany>,
    places: &[usize],
    mut there: Waiting,
    shared: &[(Word, usize)],
    deadline: u64,
) -> SysResult {
    let either = std::future::poll_fn(|cx| match waits.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(result.map(|at| places[at])),
        Poll::Pending => Pin::new(&mut there)
            .poll(cx)
            .map(|result| result.map(|at| shared[at].1)),
    });
    let ended = until(task, either, deadline).await;
    // All are left before anything is answered: who was woken meanwhile counts.
    let here = waits.give_up().map(|at| places[at]);
    there.take_back();
    let there = there.await;
    let woken = [
        here,
        there.ok().map(|at| shared[at].1),
        match ended {
            Woken::Ready(result) => result.ok(),
            _ => None,
        },
    ];
    match (woken.into_iter().flatten().max(), ended) {
        (Some(at), _) => Ok(at),
        (None, Woken::Ready(result)) => result,
        (None, _) if there != Err(Errno::CANCELED) => there,
        (None, Woken::Timeout) => Err(Errno::TIMEDOUT),
        (None, Woken::Signal) => Err(Errno::RESTART_SYS),
    }
}

/// As [`wait_both`], where shared words are waited for by a pool thread. It waits for one word more, by which it is called back.
async fn wait_both_by_thread(
    call: Call,
    mut waits: Pin<&mut WaitMany>,
    places: &[usize],
    shared: &[(Word, usize)],
) -> SysResult {
    // The thread may still be in its call when this future is dropped (exec, exit): only its end frees what the kernel looks at.
    let back: &'static AtomicU32 = Box::leak(Box::new(AtomicU32::new(0)));
    let mut list: Vec<Word> = shared.iter().map(|(word, _)| *word).collect();
    list.push(Word {
        value: 0,
        address: back.as_ptr() as u64,
        flags: SIZE_U32 | PRIVATE,
        reserved: 0,
    });
    // Boxed, so that it is freed with the length that it has.
    let list: &'static mut [Word] = Box::leak(list.into_boxed_slice());
    let mut args = call.args;
    (args[0], args[1]) = (list.as_ptr() as usize, list.len());
    let mut woken = None;
    let result = {
        let mut there = std::pin::pin!(pool::wait_there(call.task, call.number, args));
        std::future::poll_fn(|cx| {
            if woken.is_none() {
                if let Poll::Ready(result) = waits.as_mut().poll(cx) {
                    woken = Some(result);
                    back.store(1, Ordering::SeqCst);
                    sys::futex_wake(back, 1);
                }
            }
            there.as_mut().poll(cx)
        })
        .await
    };
    // SAFETY: both were leaked above, and the thread has come back.
    unsafe {
        drop(Box::from_raw(back.as_ptr().cast::<AtomicU32>()));
        drop(Box::from_raw(list));
    }
    match (woken, waits.give_up(), result) {
        (Some(result), ..) => result.map(|at| places[at]),
        (None, Some(at), _) => Ok(places[at]),
        (None, None, result) => result.map(|at| shared.get(at).map_or(0, |(_, at)| *at)),
    }
}

/// Waits for private words and shared ones on an OS thread of the task's own, which can wait for one kind at a time: by turns.
async fn wait_by_turns(
    call: Call,
    mut waits: Pin<&mut WaitMany>,
    places: &[usize],
    shared: &[(Word, usize)],
    deadline: u64,
) -> SysResult {
    /// How long it waits for the shared ones before it looks at the private ones, in ns.
    const TURN: u64 = 5_000_000;
    let list: Vec<Word> = shared.iter().map(|(word, _)| *word).collect();
    let result = loop {
        let polled = std::future::poll_fn(|cx| Poll::Ready(waits.as_mut().poll(cx))).await;
        if let Poll::Ready(result) = polled {
            return result.map(|at| places[at]);
        }
        let now = sys::now(libc::CLOCK_MONOTONIC);
        let until = time::timespec(deadline.min(now + TURN));
        let mut args = call.args;
        (args[0], args[1]) = (list.as_ptr() as usize, list.len());
        args[3] = std::ptr::from_ref(&until) as usize;
        args[4] = usize::try_from(libc::CLOCK_MONOTONIC).unwrap_or(1);
        match pool::wait_there(call.task, call.number, args).await {
            Err(Errno::TIMEDOUT) if now < deadline => {}
            Err(Errno::INTR) => {}
            Err(e) if e.is_restart() => break Err(Errno::RESTART_SYS),
            result => break result,
        }
    };
    match waits.give_up() {
        Some(at) => Ok(places[at]),
        None => result.map(|at| shared.get(at).map_or(0, |(_, at)| *at)),
    }
}

/// futex_wait(2), the system call.
pub(crate) async fn futex_wait(
    call: Call,
    address: usize,
    expected: usize,
    bits: usize,
    flags: u32,
    timeout: *const libc::timespec,
    clock: i32,
) -> SysResult {
    let (Ok(expected), Ok(bits), true) = (
        u32::try_from(expected),
        u32::try_from(bits),
        is_plain(flags),
    ) else {
        return waits_in_pool(call).await;
    };
    let deadline = deadline(timeout, clock)?;
    check(address)?;
    if bits == 0 {
        return Err(Errno::INVAL);
    }
    let result = if is_shared(flags, address) {
        wait_shared(call, address, expected, deadline, bits).await
    } else {
        wait(call.task, address, expected, deadline, bits).await
    };
    // Unlike FUTEX_WAIT it starts again even with a time-out, which is absolute.
    result.map_err(|e| {
        if e.is_restart() {
            Errno::RESTART_SYS
        } else {
            e
        }
    })
}

/// futex_wake(2), the system call: none means none here.
pub(crate) fn futex_wake(
    call: Call,
    address: usize,
    bits: usize,
    count: i32,
    flags: u32,
) -> SysResult {
    let (Ok(bits), true) = (u32::try_from(bits), is_plain(flags)) else {
        return call.raw();
    };
    check(address)?;
    if bits == 0 {
        return Err(Errno::INVAL);
    }
    if is_shared(flags, address) {
        return call.raw();
    }
    match usize::try_from(count) {
        Ok(0) => Ok(0),
        Ok(count) => Ok(wake(address, count, bits)),
        // As the kernel, which counts up to it.
        Err(_) => Ok(wake(address, 1, bits)),
    }
}

/// futex_requeue(2), the system call.
pub(crate) fn futex_requeue(
    call: Call,
    words: *const Word,
    flags: u32,
    wake: i32,
    most: i32,
) -> SysResult {
    if flags != 0 || words.is_null() {
        return Err(Errno::INVAL);
    }
    // SAFETY: the program's array of two.
    let (from, to) = unsafe { (read_user(words)?, read_user(words.wrapping_add(1))?) };
    let (first, second) = (from.address as usize, to.address as usize);
    let plain = [from, to].iter().all(|w| is_plain(w.flags));
    let (Ok(expected), true) = (u32::try_from(from.value), plain) else {
        return call.raw();
    };
    if from.reserved != 0 || to.reserved != 0 {
        return Err(Errno::INVAL);
    }
    check(first)?;
    if is_shared(from.flags, first) || is_shared(to.flags, second) {
        return call.raw();
    }
    requeue(first, wake, most, second, Some(expected))
}
