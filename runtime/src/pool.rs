//! The pool: OS threads that make calls which may block and cannot be waited for otherwise.
//!
//! A job is a system call as the program made it. Its task is parked meanwhile; the thread wakes it with the result. A signal for
//! the task reaches the thread as [`signal::KICK`], which ends an interruptible call with `EINTR` as the signal itself would have; calls that
//! the kernel would not interrupt go on, as natively.
//!
//! Two kinds of jobs, each with threads of its own. A *brief* job ends by itself (a read from the disk, an fsync): threads start when
//! a job finds none idle, up to [`MOST_BRIEF`], and when all are busy, jobs queue. A *waiting* job ends when somebody else does something
//! (a lock, a semaphore, a queue): that may be a task which now waits for a thread itself. So it never queues behind others: it gets
//! a thread at once, up to [`MOST_WAITING`] of them, and where there is none to be had the task tries its call again every [`RETRY`].
//!
//! The threads are bare ([`crate::thread`]): libc's pthread_create takes locks that the very task may hold which waits for the job.
//!
//! Ownership: the job is shared by the future and the thread. Its task pointer is taken, under the job's lock, by whichever comes
//! first: the thread, which wakes it, or the future's drop, after which nobody wakes. A dropped future (its task died by exec or
//! exit) leaves the thread in its call; buffers are the program's and the call is abandoned with the process.

use crate::future::{sleep_until, Woken};
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

/// The most threads that make brief calls.
const MOST_BRIEF: usize = 512;
/// The most threads that make waiting calls: as many tasks may wait as cheaply as they can. The kernel may give fewer.
const MOST_WAITING: usize = 16_384;
/// How long a task that finds no thread for a waiting call leaves it before it tries again, in ns.
const RETRY: u64 = 10_000_000;

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

/// Threads of one kind, and their jobs.
#[derive(Debug)]
struct Pool {
    state: Mutex<Threads>,
    /// Changes with every job that an idle thread should look for: a futex word, and not a condition variable, which would take
    /// the lock again outside of a [`Section`].
    work: AtomicU32,
    most: usize,
    /// Whether jobs may wait for a thread that makes another's call.
    queues: bool,
    /// What the pool's threads run.
    body: fn() -> !,
}

#[derive(Debug)]
struct Threads {
    jobs: VecDeque<Arc<Job>>,
    idle: usize,
    threads: usize,
}

const NO_THREADS: Threads = Threads {
    jobs: VecDeque::new(),
    idle: 0,
    threads: 0,
};

static BRIEF: Pool = Pool {
    state: Mutex::new(NO_THREADS),
    work: AtomicU32::new(0),
    most: MOST_BRIEF,
    queues: true,
    body: || BRIEF.work(),
};
static WAITING: Pool = Pool {
    state: Mutex::new(NO_THREADS),
    work: AtomicU32::new(0),
    most: MOST_WAITING,
    queues: false,
    body: || WAITING.work(),
};

/// Makes a call that ends by itself, however slowly, on a pool thread.
pub(crate) async fn run(task: &'static Task, number: usize, args: [usize; 6]) -> SysResult {
    match Done::submit(&BRIEF, task, number, args) {
        Some(done) => done.await,
        // No thread to be had: better to hold the hub than to fail the program.
        // SAFETY: the program's call.
        None => sys::check(unsafe { sys::syscall_raw(number, args) }),
    }
}

/// Makes a call that ends when somebody else makes it, on a pool thread. Where no thread is to be had: by trying again and again.
/// `attempt` makes the call in a form that does not wait, and gives `None` if it would.
pub(crate) async fn wait(
    task: &'static Task,
    number: usize,
    args: [usize; 6],
    attempt: impl Fn() -> Option<SysResult>,
) -> SysResult {
    loop {
        if let Some(result) = attempt() {
            return result;
        }
        if let Some(done) = Done::submit(&WAITING, task, number, args) {
            return done.await;
        }
        let next = sys::now(libc::CLOCK_MONOTONIC) + RETRY;
        if sleep_until(task, next).await == Woken::Signal {
            return Err(interrupted(number));
        }
    }
}

/// As [`wait`], for calls that have no form which does not wait.
pub(crate) async fn wait_there(task: &'static Task, number: usize, args: [usize; 6]) -> SysResult {
    wait(task, number, args, || None).await
}

impl Pool {
    /// Wakes an idle thread.
    fn notify(&self) {
        self.work.fetch_add(1, Ordering::Release);
        sys::futex_wake(&self.work, 1);
    }

    /// Queues a job and sees to it that a thread takes it. False if there is no thread and none can be made.
    fn submit(&self, job: &Arc<Job>) -> bool {
        let mut pool = lock(&self.state);
        let full = pool.threads >= self.most;
        if pool.idle > pool.jobs.len() || (full && self.queues) {
            pool.jobs.push_back(Arc::clone(job));
            drop(pool);
            self.notify();
            return true;
        }
        if full {
            return false;
        }
        pool.jobs.push_back(Arc::clone(job));
        pool.threads += 1;
        drop(pool);
        if crate::thread::spawn(self.body).is_ok() {
            return true;
        }
        let mut pool = lock(&self.state);
        pool.threads -= 1;
        if pool.threads > 0 && self.queues {
            return true;
        }
        let queued = pool.jobs.len();
        pool.jobs.retain(|j| !Arc::ptr_eq(j, job));
        // Not there any more: a thread that became idle has taken it.
        pool.jobs.len() == queued
    }

    /// A pool thread: takes jobs, for ever. It is inside the runtime except while it waits or makes a call: whatever lock it holds,
    /// a fork waits for it.
    fn work(&self) -> ! {
        signal::block_in_hub();
        // SAFETY: takes no arguments.
        let tid = unsafe { sys!(SYS_gettid) }.unwrap_or(0);
        let tid = i32::try_from(tid).unwrap_or(0);
        let mut was_idle = false;
        loop {
            let inside = Section::enter();
            let mut pool = lock(&self.state);
            pool.idle -= usize::from(was_idle);
            let Some(job) = pool.jobs.pop_front() else {
                pool.idle += 1;
                was_idle = true;
                // Under the lock: a job that comes later changes the word.
                let seen = self.work.load(Ordering::Acquire);
                drop((pool, inside));
                sys::futex_wait(&self.work, seen);
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

/// What a call gives when a signal ends it.
fn interrupted(number: usize) -> Errno {
    if NEVER_RESTARTED.contains(&(number as i64)) {
        Errno::RESTART_NOHAND
    } else {
        Errno::RESTART_SYS
    }
}

impl Done {
    /// Gives a call to a pool; `None` if that has no thread for it.
    fn submit(pool: &Pool, task: &'static Task, number: usize, args: [usize; 6]) -> Option<Self> {
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
        pool.submit(&job).then(|| Self {
            job,
            task,
            again: None,
        })
    }
}

impl Future for Done {
    type Output = SysResult;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SysResult> {
        let mut state = lock(&self.job.state);
        if let Some(result) = state.result {
            // Whether the kernel would have restarted the call is for the signal's action to say.
            return Poll::Ready(match result {
                Err(Errno::INTR) if !state.cancelled => Err(Errno::INTR),
                Err(Errno::INTR) => Err(interrupted(self.job.number)),
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
    for pool in [&BRIEF, &WAITING] {
        *lock(&pool.state) = NO_THREADS;
    }
}
