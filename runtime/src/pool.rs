//! The pool: OS threads that make calls which may block and cannot be waited for otherwise.
//!
//! A job is a system call as the program made it. Its task is parked meanwhile; the thread wakes it with the result. A signal for
//! the task reaches the thread as [`signal::KICK`], which ends an interruptible call with `EINTR` as the signal itself would have; calls that
//! the kernel would not interrupt go on, as natively.
//!
//! Two kinds of jobs, each with threads of its own. A *brief* job ends by itself (a read from the disk, an fsync): threads start when
//! a job finds none idle, up to [`ENOUGH_BRIEF`], and when all are busy, jobs queue. A *waiting* job ends when somebody else does something
//! (a lock, a semaphore, a queue): that may be a task which now waits for a thread itself. So it never queues behind others: it gets
//! a thread at once, up to [`MOST`] of them, and where there is none to be had the task tries its call again every [`RETRY`].
//!
//! Brief is a guess: an fsync waits for the server of its file system, which may be a task of this program, behind it in the queue. So
//! a task whose job is queued looks every [`STUCK`] whether any job has ended since, and if none has starts a thread beyond the bound.
//!
//! The thread that became idle last gets the next job, and one that has been idle for [`IDLE`] ends: what a rush has started goes, and
//! the few threads that a steady program needs stay.
//!
//! A task with an OS thread of its own (`hub/lone.rs`) makes these calls there.
//!
//! The threads are bare ([`crate::thread`]): libc's pthread_create takes locks that the very task may hold which waits for the job.
//!
//! Ownership: the job is shared by the future and the thread. Its task pointer is taken, under the job's lock, by whichever comes
//! first: the thread, which wakes it, or the future's drop, after which nobody wakes. A dropped future (its task died by exec or
//! exit) leaves the thread in its call; buffers are the program's and the call is abandoned with the process.

use crate::future::{sleep_until, Woken};
use crate::hub::{cpu, world::Section, Timer};
use crate::signal;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::syscalls::brief;
use crate::task::{lock, Task};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

/// With so many threads brief calls queue, while they make progress.
const ENOUGH_BRIEF: usize = 512;
/// The most threads of a kind: as many tasks may wait as cheaply as they can. The kernel may give fewer.
const MOST: usize = 16_384;
/// How long a task that finds no thread for a waiting call leaves it before it tries again, in ns.
const RETRY: u64 = 10_000_000;
/// How long the brief calls may all take before more threads come to help, in ns.
const STUCK: u64 = 50_000_000;
/// How long a thread waits for a job before it ends, in ns.
const IDLE: u64 = 1_000_000_000;

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
    started: bool,
    cancelled: bool,
}

/// Threads of one kind, and their jobs.
#[derive(Debug)]
struct Pool {
    state: Mutex<Threads>,
    /// How many jobs have ended.
    ended: AtomicU64,
    /// With so many threads jobs wait for one that makes another's call.
    enough: usize,
    /// What the pool's threads run.
    body: fn() -> !,
}

#[derive(Debug)]
struct Threads {
    jobs: VecDeque<Arc<Job>>,
    /// The idle threads, by the futex words they wait on (0: nothing yet). Who gives one a job takes it out of here.
    idle: Vec<Arc<AtomicU32>>,
    /// How many threads have ended a call and look for the next job: so many of `jobs` need no other.
    looking: usize,
    threads: usize,
}

impl Pool {
    const fn new(enough: usize, body: fn() -> !) -> Self {
        Self {
            state: Mutex::new(NO_THREADS),
            ended: AtomicU64::new(0),
            enough,
            body,
        }
    }
}

const NO_THREADS: Threads = Threads {
    jobs: VecDeque::new(),
    idle: Vec::new(),
    looking: 0,
    threads: 0,
};

static BRIEF: Pool = Pool::new(ENOUGH_BRIEF, || BRIEF.work());
static WAITING: Pool = Pool::new(usize::MAX, || WAITING.work());

/// Makes a call that ends by itself, however slowly, on a pool thread.
pub(crate) async fn run(task: &'static Task, number: usize, args: [usize; 6]) -> SysResult {
    if task.hub().is_lone() {
        return in_place(task, number, args, false);
    }
    match Done::submit(&BRIEF, task, number, args) {
        Some(done) => done.await,
        // No thread to be had: better to hold the hub than to fail the program.
        None => {
            // SAFETY: the program's call.
            let result = unsafe { sys::interruptible(number, args) };
            signal::forward_caused(task, result);
            result
        }
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
        if task.hub().is_lone() {
            return in_place(task, number, args, true);
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

/// Makes a call on the task's own OS thread: nobody waits behind it, and a pool thread has not what the kernel keeps for this one.
fn in_place(task: &'static Task, number: usize, args: [usize; 6], waits: bool) -> SysResult {
    let hub = task.hub();
    loop {
        // One that comes later finds the thread outside the runtime, or is told again until it does: see `Hub::insist`.
        if waits && signal::interrupts(task) {
            return Err(interrupted(number));
        }
        // SAFETY: the program's call.
        let call = || unsafe { sys::interruptible(number, args) };
        let result = hub.worker().outside(call);
        signal::forward_caused(task, result);
        hub.heed();
        match result {
            Err(Errno::INTR) if signal::interrupts(task) => return Err(interrupted(number)),
            // The kick was for all threads, or for nothing. Once more, if that means the same.
            Err(Errno::INTR) if !ONCE.contains(&(number as i64)) && !is_never_restarted(number) => {
            }
            result => return result,
        }
    }
}

/// What became of a job that was given to a pool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Given {
    /// A thread takes it now.
    Taken,
    /// It waits for a thread that makes another's call.
    Queued,
    /// There is no thread, and none can be made.
    Refused,
}

impl Pool {
    fn give(&self, job: &Arc<Job>) -> Given {
        let mut pool = lock(&self.state);
        pool.jobs.push_back(Arc::clone(job));
        // A task that was woken a moment ago makes its next call before the thread that woke it has come to rest.
        if pool.looking >= pool.jobs.len() {
            return Given::Taken;
        }
        if let Some(idle) = pool.idle.pop() {
            idle.store(1, Ordering::Release);
            drop(pool);
            sys::futex_wake(&idle, 1);
            return Given::Taken;
        }
        let queues = pool.threads >= self.enough;
        drop(pool);
        if queues {
            return Given::Queued;
        }
        if self.start_thread() {
            return Given::Taken;
        }
        let mut pool = lock(&self.state);
        if pool.threads > 0 && self.enough < MOST {
            return Given::Queued;
        }
        let queued = pool.jobs.len();
        pool.jobs.retain(|j| !Arc::ptr_eq(j, job));
        if pool.jobs.len() == queued {
            // A thread that ended another's call has taken it.
            return Given::Taken;
        }
        Given::Refused
    }

    /// False if there are as many as there can be.
    fn start_thread(&self) -> bool {
        let mut pool = lock(&self.state);
        if pool.threads >= MOST {
            return false;
        }
        pool.threads += 1;
        drop(pool);
        let started = crate::thread::spawn(self.body).is_ok();
        if !started {
            lock(&self.state).threads -= 1;
        }
        started
    }

    /// A pool thread: takes jobs, until there are none. It is inside the runtime except while it waits or makes a call: whatever lock it
    /// holds, that of the allocator too, a fork waits for it.
    fn work(&self) -> ! {
        signal::block_in_hub();
        let tid = sys::thread_id();
        let mut inside = Section::enter();
        let called = Arc::new(AtomicU32::new(0));
        let mut is_counted = false;
        loop {
            let mut pool = lock(&self.state);
            pool.looking -= usize::from(is_counted);
            is_counted = false;
            if let Some(job) = pool.jobs.pop_front() {
                drop(pool);
                inside = self.make_call(job, tid, inside);
                is_counted = true;
                continue;
            }
            called.store(0, Ordering::Relaxed);
            pool.idle.push(Arc::clone(&called));
            drop((pool, inside));
            let until = sys::now(libc::CLOCK_MONOTONIC) + IDLE;
            while called.load(Ordering::Acquire) == 0 && sys::now(libc::CLOCK_MONOTONIC) < until {
                sys::futex_wait_for(&called, 0, IDLE);
            }
            inside = Section::enter();
            let mut pool = lock(&self.state);
            // Still in the list: nobody has a job for this thread.
            if let Some(at) = pool.idle.iter().position(|i| Arc::ptr_eq(i, &called)) {
                pool.idle.remove(at);
                pool.threads -= 1;
                break;
            }
        }
        drop(called);
        crate::everywhere::withdraw();
        drop(inside);
        crate::thread::end()
    }

    /// Makes a job's call, outside the runtime, and wakes its task. The thread counts as [`Threads::looking`] then.
    fn make_call(&self, job: Arc<Job>, tid: i32, inside: Section) -> Section {
        let cancelled = {
            let mut state = lock(&job.state);
            state.started = true;
            // Under the lock, so that whoever cancels later finds a thread to interrupt.
            job.thread.store(tid, Ordering::Release);
            state.cancelled
        };
        drop(inside);
        let (result, used) = if cancelled {
            (Err(Errno::INTR), 0)
        } else {
            // SAFETY: the program's call; the task that made it waits for the result.
            let make = || unsafe { sys::interruptible_told(job.number, job.args) };
            brief::timed(job.number, || cpu::measure(make))
        };
        let inside = Section::enter();
        self.ended.fetch_add(1, Ordering::Relaxed);
        lock(&self.state).looking += 1;
        {
            let mut state = lock(&job.state);
            job.thread.store(0, Ordering::Release);
            state.result = Some(result);
            if let Some(task) = state.task.take() {
                cpu::give(task, used);
                signal::forward_caused(task, result);
                task.wake();
            }
        }
        drop(job);
        inside
    }
}

/// Waits for a job's result. A signal that would interrupt the task interrupts the thread, as often as it takes: the thread may
/// not have entered its call yet when the first one comes.
struct Done {
    job: Arc<Job>,
    task: &'static Task,
    pool: &'static Pool,
    /// How many of the pool's jobs had ended when this one, which is queued, last looked.
    ended: u64,
    /// When to look again.
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

/// Calls that cannot be made again after a signal: a time-out would begin anew, or the call is done.
const ONCE: [i64; 2] = [libc::SYS_poll, libc::SYS_close];

fn is_never_restarted(number: usize) -> bool {
    NEVER_RESTARTED.contains(&(number as i64))
}

/// What a call gives when a signal ends it.
fn interrupted(number: usize) -> Errno {
    if is_never_restarted(number) {
        Errno::RESTART_NOHAND
    } else {
        Errno::RESTART_SYS
    }
}

impl Done {
    /// Gives a call to a pool; `None` if that has no thread for it.
    fn submit(
        pool: &'static Pool,
        task: &'static Task,
        number: usize,
        args: [usize; 6],
    ) -> Option<Self> {
        let state = State {
            task: Some(task),
            result: None,
            started: false,
            cancelled: false,
        };
        let job = Arc::new(Job {
            number,
            args,
            state: Mutex::new(state),
            thread: AtomicI32::new(0),
        });
        let ended = pool.ended.load(Ordering::Relaxed);
        let given = pool.give(&job);
        let mut done = Self {
            job,
            task,
            pool,
            ended,
            again: None,
        };
        match given {
            Given::Taken => {}
            Given::Queued => done.look_again_in(STUCK),
            Given::Refused => return None,
        }
        Some(done)
    }

    fn look_again_in(&mut self, ns: u64) {
        let deadline = sys::now(libc::CLOCK_MONOTONIC) + ns;
        self.again = Some(Box::pin(Timer::new(self.task, deadline)));
    }

    /// Starts a thread if the queue does not move.
    fn get_on(&mut self) {
        let ended = self.pool.ended.load(Ordering::Relaxed);
        if ended == self.ended {
            self.pool.start_thread();
        }
        self.ended = ended;
    }
}

impl Future for Done {
    type Output = SysResult;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<SysResult> {
        let this = &mut *self;
        let mut state = lock(&this.job.state);
        if let Some(result) = state.result {
            // Whether the kernel would have restarted the call is for the signal's action to say.
            return Poll::Ready(match result {
                Err(Errno::INTR | Errno::RESTART_SYS) if state.cancelled => {
                    Err(interrupted(this.job.number))
                }
                // A kick for something else, as libc's own signal for a change of credentials, which has SA_RESTART: the call is made again.
                result => result,
            });
        }
        let started = state.started;
        let interrupts = signal::interrupts(this.task);
        // What still queues is nothing that the kernel would interrupt.
        if interrupts && (started || this.pool.enough == usize::MAX) {
            state.cancelled = true;
            let thread = this.job.thread.load(Ordering::Acquire);
            if thread != 0 {
                signal::kick_thread(thread);
            }
        }
        drop(state);
        let is_due = |timer: &mut Pin<Box<Timer>>| timer.as_mut().poll(cx).is_ready();
        let due = this.again.as_mut().is_some_and(is_due);
        if interrupts {
            this.look_again_in(AGAIN);
        } else if due && !started {
            this.get_on();
            this.look_again_in(STUCK);
        } else if due {
            this.again = None;
        }
        if let Some(timer) = &mut this.again {
            let _ = timer.as_mut().poll(cx);
        }
        Poll::Pending
    }
}

impl Drop for Done {
    fn drop(&mut self) {
        lock(&self.job.state).task = None;
    }
}

/// In a forked child that begins anew: no threads, no jobs.
pub(crate) fn reset() {
    for pool in [&BRIEF, &WAITING] {
        *lock(&pool.state) = NO_THREADS;
    }
}
