//! Closing and replacing descriptors while tasks wait on them.
//!
//! As in Linux a waiter keeps its open file alive: when a number with waiters is closed, the runtime keeps a private duplicate, on
//! which their calls go on, until the last of them is done. With `COOP_CLOSE=wake` the waits end with `EBADF` instead, as gevent
//! ends them. Either way the number's next file is nothing to them: a wait belongs to a number *and its generation*.
//!
//! Order, at a close: under a lock, bump the generation and publish the duplicate; then wait until no other hub is in the middle of a call
//! on the number; then close; then say that it is done, and tell the hubs, if there is no duplicate. Who begins to use the number in between would take the old file
//! for the new one: he waits until it is done ([`fds::Entry::settled_generation`]). A waiter says which number it uses ([`Using`]), looks at the generation, and makes its
//! call. So either it sees the new generation and takes the duplicate, or the close sees it and waits. The waiter's store and load could
//! change places on the CPU; a close with waiters, which is rare, pays for that with `membarrier(2)`, and they pay nothing.

use super::{connect, Call};
use crate::config::{self, Close};
use crate::fds::{self, Kind};
use crate::hub::readiness::Turn;
use crate::hub::{self, world, Hub, Worker};
use crate::spin;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::{self, lock};
use crate::{own, pool};
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{compiler_fence, Ordering};
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
    generation: Cell<u32>,
    /// The call counts as a waiter.
    counted: Cell<bool>,
    /// The call was woken in its turn, and has not found that it was for nothing.
    turn: Cell<Option<Turn>>,
}

impl Held {
    pub(crate) fn new(number: i32) -> Self {
        let generation = fds::entry(number).map_or(0, fds::Entry::settled_generation);
        Self::of(number, generation)
    }

    /// The file that the number stood for in a generation, in which the call has begun.
    pub(crate) fn of(number: i32, generation: u32) -> Self {
        Self {
            number,
            generation: Cell::new(generation),
            counted: Cell::new(false),
            turn: Cell::new(None),
        }
    }

    /// The number that the call began with.
    pub(crate) fn number(&self) -> i32 {
        self.number
    }

    /// Whether the call has waited, so that the file may have another number by now.
    pub(crate) fn has_waited(&self) -> bool {
        self.counted.get()
    }

    /// The generation in which the number means the file.
    pub(crate) fn generation(&self) -> u32 {
        self.generation.get()
    }

    /// The number's generation, if it still means the file.
    pub(crate) fn present_generation(&self) -> Option<u32> {
        let now = fds::entry(self.number)?.generation();
        (now == self.generation.get()).then_some(now)
    }

    /// Protects the file against closes of its number: to be called before the call waits.
    ///
    /// False if the number was closed since the call began, which has not waited yet. It begins again, then, with what the number means
    /// now: natively, too, it might have come too late.
    #[must_use]
    pub(crate) fn hold(&self) -> bool {
        if self.counted.get() {
            return true;
        }
        let Some(entry) = fds::entry(self.number) else {
            return true;
        };
        fds::touch(self.number);
        self.counted.set(entry.add_waiter(self.generation.get()));
        if !self.counted.get() {
            self.generation.set(entry.settled_generation());
        }
        self.counted.get()
    }

    /// Does something that cannot block, with the number by which the file can be used now. A close of the number on another hub
    /// waits until it is done.
    ///
    /// # Errors
    /// `EBADF` when the program closed it and wants its waits to end.
    pub(crate) fn with<T>(&self, f: impl FnOnce(i32) -> T) -> Result<T, Errno> {
        self.with_generation(|fd, _| f(fd))
    }

    /// As [`Held::with`]; `f` gets the number's generation, too, in which it means the file.
    pub(crate) fn with_generation<T>(&self, f: impl FnOnce(i32, u32) -> T) -> Result<T, Errno> {
        let now = |fd| fds::entry(fd).map_or(0, fds::Entry::generation);
        let (true, Some(entry), Some(hub)) =
            (self.counted.get(), fds::entry(self.number), hub::current())
        else {
            // Nobody can tell that the call has begun: whatever the number means now is right.
            return Ok(f(self.number, now(self.number)));
        };
        let using = Using::new(hub.worker(), self.number);
        // Read once: a close may change it at any time, and then wait.
        if entry.generation() == self.generation.get() {
            return Ok(f(self.number, self.generation.get()));
        }
        drop(using);
        self.kept().map(|fd| f(fd, now(fd)))
    }

    /// The private duplicate: it stays as long as this call counts as a waiter.
    fn kept(&self) -> Result<i32, Errno> {
        let closed = lock(&CLOSED);
        let kept = closed
            .as_ref()
            .and_then(|c| c.get(&(self.number, self.generation.get())));
        kept.and_then(|k| k.fd).ok_or(Errno::BADF)
    }

    /// The number by which the file can be asked about now: the answer may be about the number's next file.
    ///
    /// # Errors
    /// As for [`Held::with`].
    pub(crate) fn fd(&self) -> Result<i32, Errno> {
        self.with(|fd| fd)
    }

    /// A number for a call that a pool thread makes. It goes on meaning the file, whatever the program does meanwhile.
    ///
    /// # Errors
    /// As for [`Held::with`].
    pub(crate) fn pin(&self) -> Result<Pinned, Errno> {
        // No descriptor to be had: the number is right unless the program closes it before the thread comes to its call.
        let number = |fd| Pinned { fd, ours: false };
        let copy = |fd| own::keep(fd).map_or(number(fd), |fd| Pinned { fd, ours: true });
        self.with(|fd| {
            if self.counted.get() {
                copy(fd)
            } else {
                number(fd)
            }
        })
    }

    /// The call waits (again) in its turn among all who wait for the file: see [`Turn`].
    pub(crate) fn set_turn(&self, turn: Option<Turn>) {
        self.turn.set(turn);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.counted.get() {
            return;
        }
        let left = fds::entry(self.number).and_then(|e| e.remove_waiter(self.generation.get()));
        if left != Some(0) {
            if let (Some(turn), Some(hub)) = (self.turn.get(), hub::current()) {
                hub.readiness.next_turn(turn);
            }
        }
        if left.is_none() {
            self.let_kept_go();
        }
    }
}

impl Held {
    /// The number was closed meanwhile: the last one who waited closes the duplicate.
    fn let_kept_go(&self) {
        let key = (self.number, self.generation.get());
        let mut closed = lock(&CLOSED);
        let Some(map) = closed.as_mut() else { return };
        if let Some(kept) = map.get_mut(&key) {
            kept.users -= 1;
            if let Kept { users: 0, fd } = *kept {
                map.remove(&key);
                if let Some(fd) = fd {
                    own::close(fd);
                }
            }
        }
    }
}

/// A thread uses a number for the file that it meant when its call began.
struct Using(&'static Worker);

impl Using {
    fn new(worker: &'static Worker, number: i32) -> Self {
        worker.uses.store(number, Ordering::Relaxed);
        // For the compiler only: a close makes up for what the CPU may reorder.
        compiler_fence(Ordering::SeqCst);
        Self(worker)
    }
}

impl Drop for Using {
    fn drop(&mut self) {
        self.0.uses.store(-1, Ordering::Release);
    }
}

/// Waits until no thread uses a number that is about to be closed: each has begun before its generation changed, and cannot block.
fn grace(number: i32) {
    world::barrier();
    for worker in hub::workers() {
        spin::until(|| worker.uses.load(Ordering::SeqCst) != number);
    }
}

/// A file under a number of the runtime's own, while it lives.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) fd: i32,
    pub(crate) ours: bool,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if self.ours {
            own::close(self.fd);
        }
    }
}

/// A close under way, until the kernel has made it. Then those are told whose file was not kept.
#[must_use]
struct Change {
    number: i32,
    gone: Option<u32>,
    _changing: Option<own::Changing>,
}

impl Drop for Change {
    fn drop(&mut self) {
        fds::changed(self.number);
        if let Some(generation) = self.gone {
            hub::look_again(self.number, generation);
        }
    }
}

/// The number is about to mean another file, or none. To be called before, and the result to be dropped after, without a wait of the task's in between.
fn let_go(number: i32) -> Change {
    let mut change = Change {
        number,
        gone: None,
        _changing: hub::current().map(Hub::worker).map(own::Changing::begin),
    };
    if fds::change_idle(number) {
        return change;
    }
    // Under the lock from before the generation changes until the duplicate is published: a waiter that sees the change looks here.
    let mut closed = lock(&CLOSED);
    let (generation, users) = fds::change(number);
    if users == 0 {
        return change;
    }
    let fd = match config::get().close {
        Close::Native => own::keep(number).ok(),
        Close::Wake => None,
    };
    closed
        .get_or_insert_default()
        .insert((number, generation), Kept { fd, users });
    drop(closed);
    grace(number);
    change.gone = fd.is_none().then_some(generation);
    change
}

/// close(2).
pub(crate) async fn close(call: Call, fd: i32) -> SysResult {
    if own::is_own(fd) {
        return Err(Errno::BADF);
    }
    let may_be_socket =
        fds::entry(fd).is_none_or(|e| matches!(e.kind(), Kind::Unknown | Kind::Socket));
    let lingers = may_be_socket && connect::lingers(fd);
    super::procfs::closed(fd);
    if !lingers {
        let _change = let_go(fd);
        return call.raw();
    }
    // A socket with SO_LINGER waits for its data to be sent when the last of its numbers is closed: of one that is not the program's any more, on a pool
    // thread. (Without such a number the pool closes the program's.)
    let copy = own::keep(fd);
    let change = let_go(fd);
    let closed = copy.map(|_| call.raw());
    drop(change);
    let last = copy.unwrap_or(fd);
    if copy.is_ok() {
        fds::give_up_own(last);
    }
    #[allow(clippy::cast_sign_loss)]
    let args = [last as usize, 0, 0, 0, 0, 0];
    let result = match pool::wait_there(call.task, libc::SYS_close as usize, args).await {
        // A signal came before the thread had begun: it would have ended the wait.
        Err(e) if e.is_restart() => {
            connect::do_not_linger(last);
            // SAFETY: nobody else closes it.
            unsafe { sys!(SYS_close, last) }
        }
        result => result,
    };
    closed.unwrap_or(result)
}

/// dup(2): the two share a description, so nothing is known of either without asking.
pub(crate) fn dup(call: Call, fd: i32) -> SysResult {
    fds::not_plain(fd);
    call.raw()
}

/// pidfd_getfd(2): the descriptor may be one of this process.
pub(crate) fn pidfd_getfd(call: Call) -> SysResult {
    fds::shared();
    call.raw()
}

/// dup2(2).
pub(crate) fn dup2(call: Call, old: i32, new: i32) -> SysResult {
    replace(call, old, new)
}

/// dup3(2).
pub(crate) fn dup3(call: Call, old: i32, new: i32, flags: i32) -> SysResult {
    if flags & !libc::O_CLOEXEC != 0 {
        return call.raw();
    }
    replace(call, old, new)
}

fn replace(call: Call, old: i32, new: i32) -> SysResult {
    if own::is_own(new) {
        return Err(Errno::BADF);
    }
    if old == new {
        return call.raw();
    }
    fds::not_plain(old);
    // If the old number is bad the new one stays as it is. The call is not made then: the number may be good by now, and nobody would know that the
    // other has changed.
    // SAFETY: asks about a number.
    unsafe { sys!(SYS_fcntl, old, libc::F_GETFD) }?;
    super::procfs::closed(new);
    let _change = let_go(new);
    call.raw()
}

/// close_range(2), around the runtime's own descriptors.
pub(crate) fn close_range(call: Call, first: u32, last: u32, flags: u32) -> SysResult {
    /// A table of its own first, for the calling thread.
    const UNSHARE: u32 = 2;
    /// Closes nothing now.
    const CLOEXEC: u32 = 4;
    if first > last || flags & !(UNSHARE | CLOEXEC) != 0 {
        return call.raw();
    }
    if flags & UNSHARE != 0 && task::alive() > 1 {
        return super::own_files::make(call);
    }
    let flags = flags & !UNSHARE;
    let mut changes = Vec::new();
    if flags & CLOEXEC == 0 {
        let known = u32::try_from(fds::highest()).map_or(0, |highest| highest + 1);
        for fd in (first..known.min(last.saturating_add(1))).filter_map(|fd| i32::try_from(fd).ok())
        {
            if !own::is_own(fd) {
                super::procfs::closed(fd);
                changes.push(let_go(fd));
            }
        }
    }
    let mut from = first;
    for own in own::all().filter_map(|fd| u32::try_from(fd).ok()) {
        if own < from || own > last {
            continue;
        }
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

/// In a forked child that begins anew: nobody waits.
pub(crate) fn reset() {
    *lock(&CLOSED) = None;
}
