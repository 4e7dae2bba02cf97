//! Waiting for children, without taking a status that is another's: every look is the program's own call with `WNOHANG`.
//!
//! A child that is waited for by its id is watched through a pidfd. For all else the receiver's SIGCHLD makes every such wait look
//! again. A task with an OS thread of its own waits there. Where the program has SIGCHLD ignored the kernel sends none and the wait is for the last child's end: a pool thread's.

use super::close::Held;
use super::{wait_with_others, Call};
use crate::future::{until, Woken};
use crate::hub::readiness::READ;
use crate::signal;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::Task;
use crate::{own, pool};
use std::cell::{Cell, UnsafeCell};
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The tasks of a hub that wait for any change of a child. Touched by the hub's thread only.
#[derive(Debug, Default)]
pub(crate) struct Waiters(UnsafeCell<Vec<*const Change>>);

impl Waiters {
    #[allow(clippy::mut_from_ref)]
    fn list(&self) -> &mut Vec<*const Change> {
        // SAFETY: only the hub's thread comes here, and no caller keeps the reference over a call that comes again.
        unsafe { &mut *self.0.get() }
    }

    pub(crate) fn wake_all(&self) {
        for change in self.list().drain(..) {
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
    listed: Cell<bool>,
    came: Cell<bool>,
    _pin: PhantomPinned,
}

impl Change {
    fn new(task: &'static Task) -> Self {
        Self {
            task,
            listed: Cell::new(false),
            came: Cell::new(false),
            _pin: PhantomPinned,
        }
    }
}

impl Future for Change {
    type Output = ();
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if self.came.get() {
            return Poll::Ready(());
        }
        if !self.listed.replace(true) {
            self.task
                .hub()
                .children
                .list()
                .push(std::ptr::from_ref(&*self));
        }
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
                .list()
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
    if options & libc::WNOHANG != 0 {
        return call.raw();
    }
    let mut args = call.args;
    #[allow(clippy::cast_sign_loss)]
    {
        args[at] = (options | libc::WNOHANG) as u32 as usize;
    }
    // SAFETY: the program's call, without the wait.
    let look = || sys::check(unsafe { sys::syscall_raw(call.number, args) });
    let first = look();
    if !nothing(first) {
        return first;
    }
    let action = signal::action(libc::SIGCHLD);
    if call.hub().is_lone()
        || action.handler == libc::SIG_IGN
        || action.flags & libc::SA_NOCLDWAIT as u64 != 0
        || (action.flags & libc::SA_NOCLDSTOP as u64 != 0 && options & STOPS != 0)
        || options & OTHER_CHILDREN != 0
    {
        return pool::wait_there(call.task, call.number, call.args).await;
    }
    let watched = child.and_then(|pid| {
        // SAFETY: makes a descriptor.
        unsafe { sys!(SYS_pidfd_open, pid, 0) }
            .and_then(own::hide)
            .ok()
    });
    if let Some(pidfd) = watched {
        let _close = Closes(pidfd);
        let file = Held::new(pidfd);
        loop {
            wait_with_others(call, &file, READ, u64::MAX, Errno::RESTART_SYS).await?;
            let result = look();
            if !nothing(result) {
                return result;
            }
        }
    }
    loop {
        let mut change = std::pin::pin!(Change::new(call.task));
        // On the list first, then look: what changes after the look is told.
        std::future::poll_fn(|cx| {
            let _ = change.as_mut().poll(cx);
            Poll::Ready(())
        })
        .await;
        let result = look();
        if !nothing(result) {
            return result;
        }
        if !signal::tells_of_children() {
            return pool::wait_there(call.task, call.number, call.args).await;
        }
        if until(call.task, change, u64::MAX).await == Woken::Signal {
            // A handler of SIGCHLD ran for a child that this very call is for: as in the kernel the status comes first.
            let result = look();
            return if nothing(result) {
                Err(Errno::RESTART_SYS)
            } else {
                result
            };
        }
    }
}

/// Closes one of the runtime's descriptors when the wait ends, however it ends.
struct Closes(i32);

impl Drop for Closes {
    fn drop(&mut self) {
        own::close(self.0);
    }
}
