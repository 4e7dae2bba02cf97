//! Windows: a task makes a call by itself, outside of the runtime, with no current task.
//!
//! A vfork child shares all memory and goes on as its parent, on the same stack with the same thread pointer: it must run straight
//! through, with its calls made plainly, until it has called exec or exit. The kernel suspends the thread that made it meanwhile,
//! and that must not be a hub, which carries other tasks. And exec is made by the task itself because a new program inherits the
//! mask of the thread that asks for it.
//!
//! So both are made on a *carrier*: a bare thread that becomes the task for the time of the call. The task is parked meanwhile, and
//! its hub goes on with others.
//!
//! ```text
//!   hub                          carrier                                         vfork child
//!   ───                          ───────                                         ───────────
//!   vfork crosses: a frame of
//!   the task's state, whose rip
//!   is the window; parked ─────▶ takes the job; the context's gate becomes
//!                                its own; rt_sigreturn of the frame
//!                                window: syscall ──────────────────────────────▶ mask of the task; jmp rip
//!                                … suspended by the kernel …                     … runs on the task's stack …
//!                                result → context; crosses back to its own  ◀──── exec or exit
//!                                gate
//!   woken: result → rax    ◀──── wake
//! ```
//!
//! A task with an OS thread of its own (`hub/lone.rs`) makes them there, with its hub at rest.
//!
//! A carrier also makes the clone of a child with memory of its own that its parent waits for (`CLONE_VFORK` without `CLONE_VM`), as a
//! [`Fork`]: see `process.rs`.
//!
//! A thread that makes exec has the task's mask, for the new program, and all others block all signals: so the kernel gives this one what comes for
//! the process. A handler must not run there, as it would not be a task's: its wakes would be the kernel's, and not heard. The signal is kept until
//! the window is over ([`signal::struck_in_window`]). What the program does not handle the kernel may have dropped there: a SIGCHLD would have told
//! those who wait for children, so they look again ([`exec_failed`]).
//!
//! Ownership: from the submission until the result is there, the task's context is the carrier's. A signal does not end a window, as
//! natively nothing wakes a thread that waits for its vfork child, so its future is never dropped before the end.

use super::{Call, Outcome};
use crate::context::Gate;
use crate::everywhere::{BriefWindow, Window};
use crate::future::Without;
use crate::hub::{self, world::Section};
use crate::signal::{self, frame, Info};
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::{lock, Task};
use crate::{extended, fds, thread};
use std::cell::Cell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// The pseudo call by which a task comes back from a window.
pub const DONE: usize = 0x434f_4f52;

/// What a task does in its window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// Makes a process that shares its memory.
    Clone,
    /// Becomes another program.
    Exec,
}

/// Lets a task make its call in a window.
pub(crate) fn enter(call: Call, what: What) -> Outcome {
    let task = call.task;
    if what == What::Exec && signal::interrupts(task) {
        // A new program has no handler for it.
        return call.done(Err(Errno::RESTART_NOINTR));
    }
    fds::shared();
    let context = task.context();
    context.window_mask = task.mask.load(Ordering::Relaxed);
    // A vfork child takes the task's mask itself. Its parent keeps the carrier's: signals for the process are the receiver's.
    let mask = match what {
        What::Clone => !signal::UNBLOCKED,
        What::Exec => context.window_mask,
    };
    if call.hub().is_lone() {
        let result = in_place(task, mask, what);
        return call.done(result);
    }
    let frame = frame::window(task, mask);
    let work = Work::Window {
        frame,
        exec: what == What::Exec,
    };
    match submit(task, work) {
        Ok(done) => super::run_without(call, done, Without::Reserve),
        Err(e) => {
            frame::free_loose(frame);
            call.done(Err(e))
        }
    }
}

/// A window on the task's own OS thread: nobody waits behind it, and a child inherits from it what the kernel keeps for it.
fn in_place(task: &'static Task, mask: u64, what: What) -> SysResult {
    let hub = task.hub();
    let frame = frame::window(task, mask);
    let exec = what == What::Exec;
    // An order (`everywhere`) that comes while a vfork child runs waits for its end, as natively.
    let mut window = exec.then(BriefWindow::enter);
    let inherited = exec.then(|| {
        (
            signal::Lent::for_exec(task),
            signal::fault::Ignored::for_exec(),
        )
    });
    let (mut result, mut caught) = (Err(Errno::AGAIN), None);
    // It has not left the CPU.
    task.gs.set(extended::gs());
    hub.at_rest(|| {
        (result, caught) = open(task, frame);
        // Before the world is waited for: who stops it may be waiting for a hub that waits for this.
        window = None;
    });
    hub.worker().restore_signal_stack();
    drop(inherited);
    if exec {
        exec_failed(task);
    }
    if let Some(info) = caught {
        signal::after_window(task, info);
    }
    frame::free_loose(frame);
    result
}

/// After an exec that was tried with the task's mask, which is set no more: nobody else was told of a child that changed meanwhile.
fn exec_failed(task: &'static Task) {
    if task.context().window_mask & signal::bit(libc::SIGCHLD) == 0 {
        hub::child_changed();
    }
}

struct Job {
    task: &'static Task,
    work: Work,
    state: Mutex<Option<SysResult>>,
}

/// What a carrier does.
enum Work {
    /// Becomes the task for a call.
    Window { frame: NonNull<u8>, exec: bool },
    /// Makes a clone, by this function, and is suspended by the kernel until the child has called exec or exit.
    Fork(Arc<dyn Fork>),
}

/// A clone for a carrier to make.
pub(crate) trait Fork: Send + Sync {
    /// Makes it, outside the runtime.
    fn make(&self) -> SysResult;
}

// SAFETY: the frame and the task's context belong to the carrier that takes the job (module text).
unsafe impl Send for Job {}
// SAFETY: as above; the result is locked.
unsafe impl Sync for Job {}

/// Waits for a window's end.
pub(crate) struct Done(Arc<Job>);

impl Future for Done {
    type Output = SysResult;
    fn poll(self: Pin<&mut Self>, _: &mut std::task::Context<'_>) -> Poll<SysResult> {
        match *lock(&self.0.state) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

#[derive(Debug)]
struct Carriers {
    jobs: VecDeque<Arc<Job>>,
    idle: usize,
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "window of task {}", self.task.id())
    }
}

static CARRIERS: Mutex<Carriers> = Mutex::new(Carriers {
    jobs: VecDeque::new(),
    idle: 0,
});
/// Changes with every job that an idle carrier should look for.
static WORK: AtomicU32 = AtomicU32::new(0);

/// Gives a carrier a clone to make.
pub(crate) fn fork(task: &'static Task, fork: Arc<dyn Fork>) -> Result<Done, Errno> {
    submit(task, Work::Fork(fork))
}

/// Gives work to an idle carrier, or to a new one. It never waits for another window's end: a vfork child may run for long.
fn submit(task: &'static Task, work: Work) -> Result<Done, Errno> {
    let job = Arc::new(Job {
        task,
        work,
        state: Mutex::new(None),
    });
    hand_over(&job)?;
    Ok(Done(job))
}

fn hand_over(job: &Arc<Job>) -> Result<(), Errno> {
    let mut carriers = lock(&CARRIERS);
    carriers.jobs.push_back(Arc::clone(job));
    if carriers.idle >= carriers.jobs.len() {
        drop(carriers);
        WORK.fetch_add(1, Ordering::Release);
        sys::futex_wake(&WORK, 1);
        return Ok(());
    }
    drop(carriers);
    let made = spawn();
    if made.is_ok() {
        return Ok(());
    }
    let mut carriers = lock(&CARRIERS);
    let before = carriers.jobs.len();
    carriers.jobs.retain(|j| !Arc::ptr_eq(j, job));
    if carriers.jobs.len() == before {
        // A carrier that became idle has taken it.
        return Ok(());
    }
    made
}

/// Makes a carrier. While another thread is in exec the kernel makes none (`EAGAIN`): that is soon over, one way or the other.
fn spawn() -> Result<(), Errno> {
    const TRIES: u32 = 100;
    for _ in 0..TRIES {
        match thread::spawn(carry) {
            Err(Errno::AGAIN) => std::thread::sleep(std::time::Duration::from_millis(1)),
            made => return made,
        }
    }
    Err(Errno::AGAIN)
}

/// A carrier: takes jobs, for ever.
fn carry() -> ! {
    signal::block_in_hub();
    let mut was_idle = false;
    loop {
        let inside = Section::enter();
        let mut carriers = lock(&CARRIERS);
        carriers.idle -= usize::from(was_idle);
        let Some(job) = carriers.jobs.pop_front() else {
            carriers.idle += 1;
            was_idle = true;
            // Under the lock: a job that comes later changes the word.
            let seen = WORK.load(Ordering::Acquire);
            drop((carriers, inside));
            sys::futex_wait(&WORK, seen);
            continue;
        };
        was_idle = false;
        drop(carriers);
        let window = Window::enter();
        // A new program inherits what is pending for the task, and what is ignored; if there is none after all, that is taken back.
        let inherited = matches!(job.work, Work::Window { exec: true, .. }).then(|| {
            let lent = signal::Lent::for_exec(job.task);
            (lent, signal::fault::Ignored::for_exec())
        });
        drop(inside);
        // A signal that was sent before comes now, at the end of any system call.
        // SAFETY: takes no arguments.
        let _ = unsafe { sys!(SYS_getpid) };
        let (result, caught) = match &job.work {
            Work::Window { frame, .. } => open(job.task, *frame),
            Work::Fork(fork) => (fork.make(), None),
        };
        let inside = Section::enter();
        drop(inherited);
        if let Some(info) = caught {
            signal::after_window(job.task, info);
        }
        let up_to_date = window.is_none_or(Window::leave);
        if let Work::Window { frame, exec } = &job.work {
            frame::free_loose(*frame);
            if *exec {
                exec_failed(job.task);
            }
        }
        {
            let mut state = lock(&job.state);
            *state = Some(result);
            // Under the lock: the task cannot have seen the result and ended.
            job.task.wake();
        }
        drop(job);
        drop(inside);
        if !up_to_date {
            // The next window is another carrier's, with the credentials of its hub.
            thread::end();
        }
    }
}

/// Becomes a task until its call is over. Gives its result, and a signal that came meanwhile.
fn open(task: &'static Task, frame: NonNull<u8>) -> (SysResult, Option<Info>) {
    let mut caught = Info::of_kernel(0, 0);
    let gate = Gate {
        rsp: Cell::new(0),
        fs: Cell::new(thread::pointer()),
        in_program: 0.into(),
    };
    let context = task.context();
    context.gate = &raw const gate;
    context.window_signal = (&raw mut caught).cast();
    let (fp, gs) = (extended::control(), extended::gs());
    extended::set_gs(task.gs.get());
    let name = task.name.get();
    let crossing = hub::crossing();
    let before = super::scheduling::assume(task.id());
    // SAFETY: the task's own thread pointer, its context and a whole frame; all are this thread's until the task crosses back, and
    // `gate` lives until then. The name is 16 bytes with a NUL: a child has it, too.
    unsafe {
        let _ = sys!(SYS_prctl, libc::PR_SET_NAME, name.as_ptr());
        (crossing.set_slot)(context.fs, std::ptr::null_mut());
        (crossing.set_window)(context.fs, task.ctx.get());
        (crossing.resume_frame)(task.ctx.get(), frame.as_ptr() as usize);
        if context.full != 0 {
            extended::save(task.extended());
        }
        (crossing.set_slot)(context.fs, task.ctx.get());
    }
    if let Some(before) = before {
        before.apply();
    }
    extended::set_control(fp);
    task.gs.set(extended::gs());
    extended::set_gs(gs);
    let no_stack = libc::stack_t {
        ss_sp: std::ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: 0,
    };
    // SAFETY: the alternate stack was the task's.
    let _ = unsafe { sys!(SYS_sigaltstack, &no_stack, 0) };
    // The worker that runs the task next sets its own.
    context.gate = std::ptr::null();
    context.window_signal = std::ptr::null_mut();
    #[allow(clippy::cast_possible_wrap)]
    let result = sys::check(context.window_result as isize);
    (result, (caught.signal != 0).then_some(caught))
}

/// In a forked child that begins anew: no carriers, no windows.
pub(crate) fn reset() {
    *lock(&CARRIERS) = Carriers {
        jobs: VecDeque::new(),
        idle: 0,
    };
}
