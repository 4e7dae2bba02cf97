//! Closing and replacing descriptors while tasks wait on them.
//!
//! As in Linux a waiter keeps its open file alive: when a number with waiters is closed, the runtime keeps a private duplicate, on
//! which their calls go on, until the last of them is done. With `COOP_CLOSE=wake` the waits end with `EBADF` instead, as gevent
//! ends them. Either way the number's next file is nothing to them: a wait belongs to a number *and its generation*.
//!
//! Order, at a close, under a lock: bump the generation, publish the duplicate, tell the hubs, close. A waiter that still sees the old
//! generation still has the old file, for the close comes last.

use super::{connect, Call};
use crate::config::{self, Close};
use crate::fds::{self, Kind};
use crate::hub::{self, News};
use crate::pool;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::lock;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Mutex;

/// Files that were closed while tasks waited on them: by number and generation, the private duplicate (or none: `EBADF`).
static CLOSED: Mutex<Option<HashMap<(i32, u32), Kept>>> = Mutex::new(None);

#[derive(Clone, Copy, Debug)]
struct Kept {
    fd: Option<i32>,
    users: u32,
}

/// A descriptor as a call in progress means it: the file that the number stood for when the call began.
#[derive(Debug)]
pub(crate) struct Held {
    number: i32,
    generation: u32,
    /// The call counts as a waiter.
    counted: Cell<bool>,
    /// The number was closed before the call could count as a waiter: natively, too, it might have come too late.
    late: Cell<bool>,
}

impl Held {
    pub(crate) fn new(number: i32) -> Self {
        let generation = fds::entry(number).map_or(0, fds::Entry::generation);
        Self {
            number,
            generation,
            counted: Cell::new(false),
            late: Cell::new(false),
        }
    }

    /// The number and the generation of which the file is.
    pub(crate) fn origin(&self) -> (i32, u32) {
        (self.number, self.generation)
    }

    /// Protects the file against closes of its number: to be called before the call waits.
    pub(crate) fn hold(&self) {
        if !self.counted.get() && !self.late.get() {
            let counted = fds::entry(self.number).is_some_and(|e| e.add_waiter(self.generation));
            self.counted.set(counted);
            self.late.set(!counted);
        }
    }

    /// The number by which the file can be used now.
    ///
    /// # Errors
    /// `EBADF` when the program closed it and wants its waits to end.
    pub(crate) fn fd(&self) -> Result<i32, Errno> {
        let Some(entry) = fds::entry(self.number) else {
            return Ok(self.number);
        };
        if !self.counted.get() || entry.generation() == self.generation {
            return Ok(self.number);
        }
        let closed = lock(&CLOSED);
        let kept = closed
            .as_ref()
            .and_then(|c| c.get(&(self.number, self.generation)));
        kept.and_then(|k| k.fd).ok_or(Errno::BADF)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.counted.get()
            || fds::entry(self.number).is_none_or(|e| e.remove_waiter(self.generation))
        {
            return;
        }
        let key = (self.number, self.generation);
        let mut closed = lock(&CLOSED);
        let Some(map) = closed.as_mut() else { return };
        if let Some(kept) = map.get_mut(&key) {
            kept.users -= 1;
            if let Kept { users: 0, fd } = *kept {
                map.remove(&key);
                if let Some(fd) = fd {
                    fds::close_own(fd);
                }
            }
        }
    }
}

/// The number is about to mean another file, or none.
fn let_go(number: i32) {
    if fds::forget_idle(number) {
        return;
    }
    // Under the lock from before the generation changes until the duplicate is published: a waiter that sees the change looks here.
    let mut closed = lock(&CLOSED);
    let (generation, users) = fds::forget(number);
    if users > 0 {
        keep(number, generation, users, &mut closed);
    }
}

/// Keeps the file of a number for the calls that wait on it, or tells them that it is gone.
fn keep(number: i32, generation: u32, users: u32, closed: &mut Option<HashMap<(i32, u32), Kept>>) {
    let fd = match config::get().close {
        Close::Native => fds::keep(number).ok().and_then(|fd| i32::try_from(fd).ok()),
        Close::Wake => None,
    };
    closed
        .get_or_insert_default()
        .insert((number, generation), Kept { fd, users });
    if fd.is_none() {
        for hub in hub::all() {
            hub.tell(News::LookAgain(number, generation));
        }
    }
}

/// close(2). A socket with SO_LINGER waits for its data to be sent: on a pool thread.
pub(crate) async fn close(call: Call, fd: i32) -> SysResult {
    if fds::is_own(fd) {
        return Err(Errno::BADF);
    }
    let may_be_socket =
        fds::entry(fd).is_none_or(|e| matches!(e.kind(), Kind::Unknown | Kind::Socket));
    let lingers = may_be_socket && connect::lingers(fd);
    super::comm::closed(fd);
    let_go(fd);
    if lingers {
        match pool::wait_there(call.task, call.number, call.args).await {
            // A signal came before the thread had begun, and a close that was interrupted has closed.
            Err(e) if e.is_restart() => {}
            result => return result,
        }
    }
    call.raw()
}

/// dup(2): the two share a description, so nothing is known of either without asking.
pub(crate) fn dup(call: Call, fd: i32) -> SysResult {
    fds::not_plain(fd);
    call.raw()
}

/// dup2(2).
pub(crate) fn dup2(call: Call, old: i32, new: i32) -> SysResult {
    replace(call, old, new)
}

/// dup3(2).
pub(crate) fn dup3(call: Call, old: i32, new: i32) -> SysResult {
    replace(call, old, new)
}

fn replace(call: Call, old: i32, new: i32) -> SysResult {
    if fds::is_own(new) {
        return Err(Errno::BADF);
    }
    fds::not_plain(old);
    // SAFETY: asks whether the old number is good: if not, the new one stays as it is.
    if old != new && unsafe { sys!(SYS_fcntl, old, libc::F_GETFD) }.is_ok() {
        let_go(new);
    }
    call.raw()
}

/// close_range(2), around the runtime's own descriptors.
pub(crate) fn close_range(call: Call, first: u32, last: u32, flags: u32) -> SysResult {
    /// `CLOSE_RANGE_CLOEXEC`: closes nothing now.
    const CLOEXEC: u32 = 4;
    if first > last {
        return call.raw();
    }
    if flags & CLOEXEC == 0 {
        for fd in first..=last.min(fds::highest_seen()) {
            let_go(i32::try_from(fd).unwrap_or(-1));
        }
    }
    let mut from = first;
    for own in fds::own()
        .into_iter()
        .filter(|o| (first..=last).contains(o))
    {
        if own > from {
            // SAFETY: the program's call, short of a number that is not its.
            unsafe { sys!(SYS_close_range, from, own - 1, flags) }?;
        }
        from = own + 1;
    }
    if from > last {
        return Ok(0);
    }
    // SAFETY: as above.
    unsafe { sys!(SYS_close_range, from, last, flags) }
}

/// In a forked child: nobody waits.
pub(crate) fn reset() {
    *lock(&CLOSED) = None;
}
