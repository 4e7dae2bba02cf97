//! The pool: OS threads that make calls which may block and cannot be waited for otherwise.
//!
//! A job is a system call as the program made it. Its task is parked meanwhile; the thread wakes it with the result. A signal for
//! the task reaches the thread as [`signal::KICK`], which ends an interruptible call with `EINTR` as the signal itself would have; calls that
//! the kernel would not interrupt go on, as natively.
//!
//! Threads start when a job finds none idle, up to [`MAX`], and stay; when all are busy, jobs queue. A job that can only end
//! through another job (a lock and its release) is safe as long as fewer than [`MAX`] tasks wait in calls of this kind.
//!
//! The threads are bare ([`crate::thread`]): libc's pthread_create takes locks that the very task may hold which waits for the job.
//!
//! Ownership: the job is shared by the future and the thread. Its task pointer is taken, under the job's lock, by whichever comes
//! first: the thread, which wakes it, or the future's drop, after which nobody wakes. A dropped future (its task died by exec or
//! exit) leaves the thread in its call; buffers are the program's and the call is abandoned with the process.

use crate::hub::world::Section;
use crate::hub::Timer;
use crate::signal;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::{lock, Task};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// The most threads.
const MAX: usize = 512;

#[derive(Debug)]
struct Job {
    number: usize,
    args: [usize; 6],
    state: Mutex<State>,
    /// The thread that makes the call, while it does.
    thread: AtomicI32,
}

#[derive(Debug)]
struct State {
    task: Option<&'static Task>,
    result: Option<SysResult>,
    cancelled: bool,
}

#[derive(Debug)]
struct Pool {
    jobs: VecDeque<Arc<Job>>,
    idle: usize,
    threads: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool {
    jobs: VecDeque::new(),
    idle: 0,
    threads: 0,
});
/// Changes with every job that an idle thread should look for: a futex word, and not a condition variable, which would take the lock
/// again outside of a [`Section`].
static WORK: AtomicU32 = AtomicU32::new(0);

/// Wakes an idle thread.
fn notify() {
    WORK.fetch_add(1, Ordering::Release);
    // SAFETY: wakes a waiter on a static word.
    let _ = unsafe {
        sys!(
            SYS_futex,
            WORK.as_ptr(),
            libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG,
            1
        )
    };
}

/// Makes a system call on a pool thread.
pub(crate) async fn run(task: &'static Task, number: usize, args: [usize; 6]) -> SysResult {
    let state = State {
        task: Some(task),
        result: None,
        cancelled: false,
    };
    let job = Arc::new(Job {
        number,
        args,
        state: Mutex::new(state),
        thread: AtomicI32::new(0),
    });
    if !submit(&job) {
        // No thread to be had: better to hold the hub than to fail the program.
        // SAFETY: the program's call.
        return sys::check(unsafe { sys::syscall_raw(number, args) });
    }
    Done {
        job,
        task,
        again: None,
    }
    .await
}

/// Queues a job and sees to it that a thread takes it. False if there is no thread and none can be made.
fn submit(job: &Arc<Job>) -> bool {
    let mut pool = lock(&POOL);
    pool.jobs.push_back(Arc::clone(job));
    if pool.idle >= pool.jobs.len() || pool.threads >= MAX {
        drop(pool);
        notify();
        return true;
    }
    pool.threads += 1;
    drop(pool);
    if crate::thread::spawn(work).is_ok() {
        return true;
    }
    let mut pool = lock(&POOL);
    pool.threads -= 1;
    if pool.threads > 0 {
        return true;
    }
    pool.jobs.retain(|j| !Arc::ptr_eq(j, job));
    false
}

/// A pool thread: takes jobs, for ever. It is inside the runtime except while it waits or makes a call: whatever lock it holds, a
/// fork waits for it.
fn work() -> ! {
    signal::block_in_hub();
    // SAFETY: takes no arguments.
    let tid = unsafe { sys!(SYS_gettid) }.unwrap_or(0);
    let tid = i32::try_from(tid).unwrap_or(0);
    let mut was_idle = false;
    loop {
        let inside = Section::enter();
        let mut pool = lock(&POOL);
        pool.idle -= usize::from(was_idle);
        let Some(job) = pool.jobs.pop_front() else {
            pool.idle += 1;
            was_idle = true;
            // Under the lock: a job that comes later changes the word.
            let seen = WORK.load(Ordering::Acquire);
            drop((pool, inside));
            // SAFETY: waits on a static word.
            let _ = unsafe {
                sys!(
                    SYS_futex,
                    WORK.as_ptr(),
                    libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG,
                    seen,
                    0
                )
            };
            continue;
        };
        was_idle = false;
        drop(pool);
        let cancelled = {
            let state = lock(&job.state);
            // Under the lock, so that whoever cancels later finds a thread to interrupt.
            job.thread.store(tid, Ordering::Release);
            state.cancelled
        };
        let (number, args) = (job.number, job.args);
        drop(inside);
        let result = if cancelled {
            Err(Errno::INTR)
        } else {
            // SAFETY: the program's call; the task that made it waits for the result.
            sys::check(unsafe { sys::syscall_raw(number, args) })
        };
        let inside = Section::enter();
        {
            let mut state = lock(&job.state);
            job.thread.store(0, Ordering::Release);
            state.result = Some(result);
            if let Some(task) = state.task.take() {
                task.wake();
            }
        }
        drop(job);
        drop(inside);
    }
}

/// Waits for a job's result. A signal that would interrupt the task interrupts the thread, as often as it takes: the thread may
/// not have entered its call yet when the first one comes.
struct Done {
    job: Arc<Job>,
    task: &'static Task,
    again: Option<Pin<Box<Timer>>>,
}

/// How long until a thread that was interrupted, but has not answered, is interrupted again, in ns.
const AGAIN: u64 = 1_000_000;

/// Calls that a signal handler ends with `EINTR` even with SA_RESTART (signal(7)).
const NEVER_RESTARTED: [i64; 9] = [
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_msgrcv,
    libc::SYS_msgsnd,
    libc::SYS_io_getevents,
    libc::SYS_io_uring_enter,
    libc::SYS_epoll_wait,
    libc::SYS_clock_nanosleep,
    libc::SYS_futex_waitv,
];

impl Future for Done {
    type Output = SysResult;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SysResult> {
        let mut state = lock(&self.job.state);
        if let Some(result) = state.result {
            // Whether the kernel would have restarted the call is for the signal's action to say.
            return Poll::Ready(match result {
                Err(Errno::INTR) if !state.cancelled => Err(Errno::INTR),
                Err(Errno::INTR) if NEVER_RESTARTED.contains(&(self.job.number as i64)) => {
                    Err(Errno::RESTART_NOHAND)
                }
                Err(Errno::INTR) => Err(Errno::RESTART_SYS),
                result => result,
            });
        }
        if signal::interrupts(self.task) {
            state.cancelled = true;
            let thread = self.job.thread.load(Ordering::Acquire);
            if thread != 0 {
                signal::kick_thread(thread);
            }
            drop(state);
            let deadline = sys::now(libc::CLOCK_MONOTONIC) + AGAIN;
            let timer = Box::pin(Timer::new(self.task, deadline));
            let _ = self.again.insert(timer).as_mut().poll(cx);
        }
        Poll::Pending
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        lock(&self.job.state).task = None;
    }
}

/// In a forked child: no threads, no jobs.
pub(crate) fn reset() {
    *lock(&POOL) = Pool {
        jobs: VecDeque::new(),
        idle: 0,
        threads: 0,
    };
}
