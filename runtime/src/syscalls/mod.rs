//! What each system call means for a task: one [`table`], and one file a family.
//!
//! A handler takes typed arguments and gives a [`SysResult`]. A cooperative one is an `async fn` that tries the call in a form
//! that cannot block, and awaits what would make another try worth while.

mod apart;
pub(crate) mod brief;
mod clock;
pub(crate) mod close;
pub(crate) mod connect;
pub(crate) mod file;
pub(crate) mod futex;
mod identity;
mod ioctl;
mod ipc;
pub(crate) mod locked;
pub(crate) mod memory;
pub(crate) mod open;
mod own_files;
mod owner;
pub(crate) mod poll;
pub(crate) mod process;
mod procfs;
pub mod quick;
pub(crate) mod regular;
pub(crate) mod rings;
pub(crate) mod robust;
pub(crate) mod scheduling;
pub(crate) mod signal;
pub(crate) mod socket;
mod splice;
mod strict;
mod system;
pub mod table;
mod terminal;
pub(crate) mod thread;
pub(crate) mod time;
pub(crate) mod timer;
pub(crate) mod trust;
pub(crate) mod wait;
pub(crate) mod window;

use crate::future::{self, Without, Woken};
use crate::hub::{readiness, Hub};
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::Task;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The pseudo call by which a task comes back from a window, for the crossing.
pub const fn window_done() -> usize {
    window::DONE
}

/// Looks at what calls need to know of the process. At conversion.
pub(crate) fn prepare() {
    identity::prepare();
    locked::prepare();
}

/// How a task goes on after a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// At once; its result is in its registers.
    Resume,
    /// After its call was made as it is, on the hub's thread.
    InLine,
    /// The same; it is told how long that took.
    Brief,
    /// When it is woken; its call is parked.
    Parked,
    /// On a hub of its own, which answers its call.
    Apart,
    /// After the others; its result is in its registers.
    Yield,
    /// After all who can run: it was preempted, and its state is in a frame.
    Preempted,
    /// Not at all.
    Ended,
}

/// A call that a task makes: who, and with what.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The caller.
    pub task: &'static Task,
    /// The call's number.
    pub number: usize,
    /// Its arguments, as in the registers.
    pub args: [usize; 6],
}

impl Call {
    pub(crate) fn of(task: &'static Task) -> Self {
        let r = &task.context().regs;
        let args = [r.rdi, r.rsi, r.rdx, r.r10, r.r8, r.r9].map(|v| v as usize);
        Self {
            task,
            number: r.rax as usize,
            args,
        }
    }

    /// The hub that runs the call.
    pub(crate) fn hub(&self) -> &'static Hub {
        self.task.hub()
    }

    /// Leaves the call to the hub, which makes it as it is. For calls that may yet block: another thread carries on the hub then.
    pub(crate) fn in_line(&self) -> SysResult {
        Err(Errno::IN_LINE)
    }

    /// Makes the call as it is, on the hub's thread. For calls that cannot block now.
    pub(crate) fn raw(&self) -> SysResult {
        // SAFETY: the program made this call with these arguments; it means the same on this thread.
        sys::check(unsafe { sys::syscall_raw(self.number, self.args) })
    }

    /// The same, for calls that may wait: a signal for the task can end it.
    pub(crate) fn raw_interruptible(&self) -> SysResult {
        // SAFETY: as above.
        unsafe { sys::interruptible(self.number, self.args) }
    }

    /// Puts a result where the program finds it.
    pub(crate) fn done(&self, result: SysResult) -> Outcome {
        match result {
            Err(Errno::IN_LINE) => return Outcome::InLine,
            Err(Errno::APART) => return Outcome::Apart,
            Err(_) => self.task.call_number.set(self.number as i32),
            Ok(_) => {}
        }
        complete(self.task, result);
        Outcome::Resume
    }
}

/// A value that a register holds.
pub(crate) trait FromRegister {
    fn from_register(value: usize) -> Self;
}

macro_rules! from_register {
    ($($t:ty),*) => { $( impl FromRegister for $t {
        #[inline]
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        fn from_register(value: usize) -> Self { value as $t }
    } )* };
}
from_register!(i32, u32, i64, u64, isize, usize);

impl<T> FromRegister for *const T {
    fn from_register(value: usize) -> Self {
        value as Self
    }
}
impl<T> FromRegister for *mut T {
    fn from_register(value: usize) -> Self {
        value as Self
    }
}

/// A handler: a function of a call and up to six typed arguments. `Args` only tells the arities apart.
pub(crate) trait Handler<Args> {
    type Output;
    fn handle(self, call: Call) -> Self::Output;
}

macro_rules! handler {
    ($($arg:ident $index:literal),*) => {
        impl<F, O, $($arg: FromRegister),*> Handler<($($arg,)*)> for F
        where F: FnOnce(Call, $($arg),*) -> O {
            type Output = O;
            #[inline]
            fn handle(self, call: Call) -> O {
                self(call, $( $arg::from_register(call.args[$index]) ),*)
            }
        }
    };
}
handler!();
handler!(A 0);
handler!(A 0, B 1);
handler!(A 0, B 1, C 2);
handler!(A 0, B 1, C 2, D 3);
handler!(A 0, B 1, C 2, D 3, E 4);
handler!(A 0, B 1, C 2, D 3, E 4, G 5);

/// Answers a call with a function that does not wait.
fn direct<Args>(handler: impl Handler<Args, Output = SysResult>, call: Call) -> Outcome {
    let result = handler.handle(call);
    call.done(result)
}

/// Answers a call with an async function: to its end, or until it must wait.
fn cooperate<Args, F: Future<Output = SysResult>>(
    handler: impl Handler<Args, Output = F>,
    call: Call,
) -> Outcome {
    run(call, handler.handle(call))
}

/// Answers a call with a future.
fn run(call: Call, future: impl Future<Output = SysResult>) -> Outcome {
    run_without(call, future, Without::Stack)
}

/// The same, with what it does if there is no memory to wait in.
fn run_without(call: Call, future: impl Future<Output = SysResult>, without: Without) -> Outcome {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    call.task.call_number.set(call.number as i32);
    match future::start(call.task, future, without) {
        // libc takes no such answer from a futex. It looks again after this one, when others have had their turn.
        Ok(Err(Errno::NOMEM)) if call.number == libc::SYS_futex as usize => {
            complete(call.task, Err(Errno::AGAIN));
            Outcome::Yield
        }
        Ok(result) => call.done(result),
        Err(parked) => {
            call.task.parked.set(Some(parked));
            call.task.portable.set(false);
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
            call.task.call.store(call.number as i32, Ordering::Relaxed);
            call.task
                .waits_on
                .store(call.args[0] as u64, Ordering::Relaxed);
            if crate::dump::timing() {
                call.task
                    .waits_since
                    .store(sys::now(libc::CLOCK_MONOTONIC_COARSE), Ordering::Relaxed);
            }
            Outcome::Parked
        }
    }
}

/// Makes a call as it is.
fn pass(_: Call) -> Outcome {
    Outcome::InLine
}

/// Makes a call that ends by itself as it is on a pool thread. A signal ends it as it would natively.
async fn in_pool(call: Call) -> SysResult {
    crate::pool::run(call.task, call.number, call.args).await
}

/// As [`in_pool`], for a call that ends when somebody else makes it.
async fn waits_in_pool(call: Call) -> SysResult {
    crate::pool::wait_there(call.task, call.number, call.args).await
}

/// In a forked child that begins anew: of all that the families know about tasks and descriptors nothing is true any more.
pub(crate) fn reset() {
    futex::reset();
    close::reset();
    timer::reset();
    owner::reset();
    window::reset();
    identity::reset();
    scheduling::reset();
    procfs::reset();
    memory::reset();
}

/// How many calls had no row.
pub(crate) static FELL_THROUGH: AtomicU64 = AtomicU64::new(0);

/// Answers the call that a task has crossed with.
pub(crate) fn dispatch(hub: &'static Hub, task: &'static Task) -> Outcome {
    debug_assert!(std::ptr::eq(task.hub(), hub));
    let call = Call::of(task);
    if call.number == crate::signal::RETURN {
        return crate::signal::frame::sigreturn(task);
    }
    if call.number == crate::signal::preempt::PREEMPTED {
        return crate::signal::preempt::keep(task, hub.worker());
    }
    if call.number == crate::signal::fault::FAULTED {
        return crate::signal::fault::faulted(task, hub.worker());
    }
    match call.number {
        quick::ANSWERED => return quick::answered(task),
        quick::PARTLY => return quick::partly(task),
        number if quick::is_tried(number) => return quick::tried(task),
        _ => {}
    }
    if any_unusual() {
        if let Some(outcome) = answer_unusual(call) {
            return outcome;
        }
    }
    match table::row(call.number) {
        Some(row) => (row.enter)(call),
        None => fall_through(call),
    }
}

/// Some task is one to which calls mean something else than to all others. One word, as every call looks at it.
static UNUSUAL: AtomicBool = AtomicBool::new(false);

#[inline]
fn any_unusual() -> bool {
    UNUSUAL.load(Ordering::Relaxed)
}

fn there_is_an_unusual_task() {
    UNUSUAL.store(true, Ordering::Relaxed);
}

#[cold]
fn answer_unusual(call: Call) -> Option<Outcome> {
    if strict::forbids(call) {
        return Some(strict::kill(call));
    }
    if call.hub().has_own_files() {
        return own_files::answer(call);
    }
    None
}

#[cold]
fn fall_through(call: Call) -> Outcome {
    static SEEN: [AtomicBool; 1024] = [const { AtomicBool::new(false) }; 1024];
    FELL_THROUGH.fetch_add(1, Ordering::Relaxed);
    let first = SEEN
        .get(call.number)
        .is_none_or(|s| !s.swap(true, Ordering::Relaxed));
    if first && call.number < 1024 {
        tracing::warn!(
            "system call {} is not in the table: passed through",
            call.number
        );
    }
    pass(call)
}

/// Puts a call's result into the task's registers; [`crate::signal::interrupted`] says what a restart code becomes.
pub(crate) fn complete(task: &'static Task, result: SysResult) {
    task.call.store(-1, Ordering::Relaxed);
    task.context().regs.rax = match result {
        Err(e) if e.is_restart() => match e.trapped() {
            Some(data) => crate::signal::fault::trapped(task, data),
            None => crate::signal::interrupted(task, e),
        },
        other => sys::encode(other),
    };
    crate::signal::after_call();
}

/// Waits until a file may be ready, a deadline (CLOCK_MONOTONIC ns) passes (`EAGAIN`, as a socket's time-out says), or a signal comes
/// (`interrupt`: what the call gives then). `EPERM`: the file cannot be polled. `EBADF`: it was closed, and waits are to end then.
pub(crate) async fn wait_fd(
    call: Call,
    file: &close::Held,
    interest: u32,
    deadline: u64,
    interrupt: Errno,
) -> Result<(), Errno> {
    let ready = readiness::Ready::in_turn(call.task, file, interest);
    waiting(call, file, ready, interest, deadline, interrupt).await
}

/// As [`wait_fd`], for something that is not taken: all who wait for it are woken.
pub(crate) async fn wait_with_others(
    call: Call,
    file: &close::Held,
    interest: u32,
    deadline: u64,
    interrupt: Errno,
) -> Result<(), Errno> {
    let ready = readiness::Ready::for_all(call.task, file, interest);
    waiting(call, file, ready, interest, deadline, interrupt).await
}

async fn waiting(
    call: Call,
    file: &close::Held,
    ready: readiness::Ready<'_>,
    interest: u32,
    deadline: u64,
    interrupt: Errno,
) -> Result<(), Errno> {
    match future::until(call.task, ready, deadline).await {
        Woken::Ready(Err(e)) if e != Errno::PERM && e != Errno::BADF => {
            poll::one_in_pool(call, file, interest, deadline, interrupt).await
        }
        Woken::Ready(result) => result,
        Woken::Timeout => Err(Errno::AGAIN),
        Woken::Signal => Err(interrupt),
    }
}
