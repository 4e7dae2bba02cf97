//! Waiting for children, without taking a status that is another's: every look is the program's own call with `WNOHANG`.
//!
//! The receiver's SIGCHLD makes every wait look again. Where a hub has [`MANY`] such waits, so that this would be much work, and where
//! SIGCHLD can go past the receiver, a child that is waited for by its id is watched through a pidfd. (Only there: a new descriptor has the lowest
//! free number for a moment, which the program may have meant for a file of its own.) A child that the program traces stops as well, and whoever
//! waits for it sees that, whatever the options: once a stopped child was seen, SIGCHLD makes all waits look again. A task with an OS thread of its own waits there. Where the program has SIGCHLD ignored the
//! kernel sends none and the wait is for the last child's end: a pool thread's.

use super::close::Held;
use super::{wait_with_others, Call};
use crate::fds;
use crate::future::{until, Woken};
use crate::hub::readiness::READ;
use crate::signal::{self, Told};
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::Task;
use crate::{own, pool};
use std::cell::{Cell, UnsafeCell};
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

/// With so many waits of a hub that look at each SIGCHLD, another one for a child that is known by its id watches that child.
const MANY: usize = 16;

/// How long a wait counts on who was told to take a SIGCHLD, in ns.
const SOON: u64 = 10_000_000;

/// The tasks of a hub that wait for a change of a child: those that look at each SIGCHLD, and those that watch a child of their own. Touched by the hub's thread only.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    any: List,
    by_id: List,
}

impl Waiters {
    fn list(&self, by_id: bool) -> &List {
        if by_id {
            &self.by_id
        } else {
            &self.any
        }
    }

    /// Something changed.
    pub(crate) fn wake_all(&self) {
        self.any.wake_all();
        if STOPPED.load(Ordering::SeqCst) {
            self.by_id.wake_all();
        }
    }
}

/// Set for good once a stopped child was seen.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Looks whether a child is stopped. To be called for every SIGCHLD, before the hubs are told.
pub(crate) fn look_for_stopped() {
    if STOPPED.load(Ordering::Relaxed) {
        return;
    }
    const LOOK: i32 = libc::WNOHANG | libc::WNOWAIT | libc::WSTOPPED | libc::__WALL;
    // SAFETY: fills the struct; all zero is a valid one.
    let stopped = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        sys!(SYS_waitid, libc::P_ALL, 0, &mut info, LOOK, 0) == Ok(0) && info.si_pid() != 0
    };
    if stopped {
        STOPPED.store(true, Ordering::SeqCst);
    }
}

#[derive(Debug, Default)]
struct List(UnsafeCell<Vec<*const Change>>);

impl List {
    #[allow(clippy::mut_from_ref)]
    fn get(&self) -> &mut Vec<*const Change> {
        // SAFETY: only the hub's thread comes here, and no caller keeps the reference over a call that comes again.
        unsafe { &mut *self.0.get() }
    }

    fn wake_all(&self) {
        for change in self.get().drain(..) {
            // SAFETY: listed futures are alive: they take themselves off the list when dropped.
            let change = unsafe { &*change };
            change.listed.set(false);
            change.came.set(true);
            change.task.wake();
        }
    }
}

/// Ready when some child may have changed since the first poll.
#[derive(Debug)]
struct Change {
    task: &'static Task,
    by_id: bool,
    listed: Cell<bool>,
    came: Cell<bool>,
    _pin: PhantomPinned,
}

impl Change {
    fn new(task: &'static Task, by_id: bool) -> Self {
        Self {
            task,
            by_id,
            listed: Cell::new(false),
            came: Cell::new(false),
            _pin: PhantomPinned,
        }
    }

    /// Puts it on the list. To be done before a look: what changes after the look is told.
    fn listen(self: Pin<&Self>) {
        if !self.listed.replace(true) {
            let list = self.task.hub().children.list(self.by_id);
            list.get().push(std::ptr::from_ref(self.get_ref()));
        }
    }
}

impl Future for Change {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.came.get() {
            return Poll::Ready(());
        }
        self.as_ref().listen();
        Poll::Pending
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if self.listed.get() {
            let me: *const Self = self;
            self.task
                .hub()
                .children
                .list(self.by_id)
                .get()
                .retain(|c| !std::ptr::eq(*c, me));
        }
    }
}

/// wait4(2): the options are its third argument; 0 says that nothing has changed.
pub(crate) async fn wait4(call: Call, pid: i32, _status: usize, options: i32) -> SysResult {
    let only_exits = options & (libc::WUNTRACED | libc::WCONTINUED) == 0;
    let child = (pid > 0 && only_exits).then_some(pid);
    let result = waiting(call, 2, options, child, |result| result == Ok(0)).await;
    // What the child sent before it ended is there: its parent may count on that.
    signal::look(call.task);
    result
}

/// waitid(2): the options are its fourth argument; it says by an empty siginfo that nothing has changed.
pub(crate) async fn waitid(
    call: Call,
    kind: u32,
    id: i32,
    info: *mut libc::siginfo_t,
    options: i32,
) -> SysResult {
    if kind == libc::P_PIDFD && fds::nonblocking(id) {
        return call.raw();
    }
    if info.is_null() {
        // Without a siginfo nothing tells a child from none: let the kernel wait.
        return if options & libc::WNOHANG != 0 {
            call.raw()
        } else {
            pool::wait_there(call.task, call.number, call.args).await
        };
    }
    let only_exits = options & (libc::WSTOPPED | libc::WCONTINUED) == 0;
    let child = (kind == libc::P_PID && only_exits).then_some(id);
    let result = waiting(call, 3, options, child, |result| {
        // SAFETY: the kernel has just written it; si_pid is 0 when nothing has changed.
        result == Ok(0) && unsafe { sys::read_user(info) }.is_ok_and(|i| unsafe { i.si_pid() } == 0)
    })
    .await;
    signal::look(call.task);
    result
}

async fn waiting(
    call: Call,
    at: usize,
    options: i32,
    child: Option<i32>,
    nothing: impl Fn(SysResult) -> bool,
) -> SysResult {
    /// Children whose end sends another signal than SIGCHLD, or none.
    const OTHER_CHILDREN: i32 = libc::__WCLONE | libc::__WALL;
    /// Changes of which SIGCHLD tells only without SA_NOCLDSTOP.
    const STOPS: i32 = libc::WUNTRACED | libc::WCONTINUED;
    let with = |options: i32| {
        let mut args = call.args;
        // The kernel takes the threads of hubs for their parents.
        #[allow(clippy::cast_sign_loss)]
        {
            args[at] = (options & !libc::__WNOTHREAD) as u32 as usize;
        }
        args
    };
    let in_pool = || pool::wait_there(call.task, call.number, with(options));
    // SAFETY: the program's call, without the wait.
    let look =
        || sys::check(unsafe { sys::syscall_raw(call.number, with(options | libc::WNOHANG)) });
    let first = look();
    if options & libc::WNOHANG != 0 || !nothing(first) {
        return first;
    }
    let waited = async {
        let action = signal::action(libc::SIGCHLD);
        if call.hub().is_lone()
            || action.handler == libc::SIG_IGN
            || action.flags & libc::SA_NOCLDWAIT as u64 != 0
            || (action.flags & libc::SA_NOCLDSTOP as u64 != 0 && options & STOPS != 0)
            || options & OTHER_CHILDREN != 0
        {
            return in_pool().await;
        }
        while child.is_none() || call.hub().children.any.get().len() < MANY {
            let change = std::pin::pin!(Change::new(call.task, false));
            change.as_ref().listen();
            let result = look();
            if !nothing(result) {
                return result;
            }
            // After the look: a child that has changed since has sent a signal, or found one pending.
            let deadline = match signal::tells_of_children() {
                Told::Surely => u64::MAX,
                Told::Soon => sys::now(libc::CLOCK_MONOTONIC) + SOON,
                Told::Not => break,
            };
            match until(call.task, change, deadline).await {
                Woken::Ready(()) => {}
                Woken::Signal => return Err(Errno::RESTART_SYS),
                // Who was told is busy.
                Woken::Timeout => break,
            }
        }
        // SAFETY: makes a descriptor.
        let open = |pid| own::make(|| unsafe { sys!(SYS_pidfd_open, pid, 0) }).ok();
        let Some(pidfd) = child.and_then(open) else {
            return in_pool().await;
        };
        let _close = Closes(pidfd);
        let file = Held::new(pidfd);
        loop {
            let mut change = std::pin::pin!(Change::new(call.task, true));
            change.as_ref().listen();
            let result = look();
            if !nothing(result) {
                return result;
            }
            let ended = wait_with_others(call, &file, READ, u64::MAX, Errno::RESTART_SYS);
            let mut ended = std::pin::pin!(ended);
            std::future::poll_fn(|cx| match change.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Ok(())),
                Poll::Pending => ended.as_mut().poll(cx),
            })
            .await?;
        }
    }
    .await;
    match waited {
        // The signal may be that of the very child's end: as in the kernel the status comes first.
        Err(e) if e == Errno::INTR || e.is_restart() => {
            Some(look()).filter(|r| !nothing(*r)).unwrap_or(waited)
        }
        _ => waited,
    }
}

/// Closes one of the runtime's descriptors when the wait ends, however it ends.
struct Closes(i32);

impl Drop for Closes {
    fn drop(&mut self) {
        own::close(self.0);
    }
}
