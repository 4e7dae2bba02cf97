//! Readiness: which tasks of a hub wait for which descriptors, on the hub's own epoll.
//!
//! A descriptor is registered once, edge-triggered, when a task first waits on it, and stays registered until its file is gone: no `epoll_ctl`
//! a wait. It is registered for reading at first, and for more when a task first waits for that: many sockets have room anew whenever somebody
//! takes what was sent, and a hub that sleeps would be woken by it each time for nobody. So it would be by a file whose task has gone to another hub, or that
//! another hub's tasks took over: after [`IN_VAIN`] events for nobody epoll tells of no more, until a task waits again.
//!
//! An edge is never lost: a task tries its call, gets `EAGAIN`, and is put on the queue without giving the hub a chance to look at epoll in between, so what
//! comes after the try is seen after the queueing.
//!
//! A *registration* belongs to an open file, not to a number. When the program closes a number on which tasks wait, the old
//! registration lives on with its waiters (see [`crate::syscalls::close`]), and the number's next file gets its own.
//!
//! A task that serves a connection reads what there is, answers, and reads again, when there is hardly ever more. If a read from a TCP
//! socket gives less than there is room for, the socket is *dry*: the next one waits at once, without a try. That is what epoll(7) says of edges
//! ("the condition that the read/write I/O space is exhausted can also be detected by checking the amount of data read"), and it is so until the next
//! event. It is not so where a read may end earlier than the data: at the end of file or at urgent data, which the latest event told of (or the
//! next one will: what came after that is still to be told), on other kinds of sockets, and for whoever does not want to wait.
//!
//! An event wakes all who poll, but of those who wait to take something (data, room, a connection) only the first, as in the kernel:
//! a thousand who accept on one socket are not all woken for each connection. Whoever was woken in his turn ([`Turn`]) and did not find
//! that it was for nothing wakes the next when his call ends: there may be more. Whoever found nothing waits again and wakes nobody, so
//! that it ends. Errors and ends of files stay, and wake all at once.

use crate::fds;
use crate::heap;
use crate::sys;
use crate::sys::Errno;
use crate::syscalls::close::Held;
use crate::syscalls::rings;
use crate::task::Task;
use std::cell::{Cell, UnsafeCell};
use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::ptr;
use std::task::{Context, Poll};

/// Data or end of file or an error can be read.
pub(crate) const READ: u32 =
    (libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) as u32;
/// There is room to write, or an error to be had.
pub(crate) const WRITE: u32 = (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR) as u32;
/// Anything at all.
pub(crate) const ANY: u32 = READ | WRITE | URGENT;
/// What there is to take.
const DIRECTIONS: u32 = (libc::EPOLLIN | libc::EPOLLOUT) as u32;
/// Urgent data.
const URGENT: u32 = libc::EPOLLPRI as u32;
/// What stays for whoever looks.
const LASTING: u32 = (libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) as u32;

/// After so many events in a row for nobody a file is taken to be none of the hub's. (One whose task is busy gets some, too: two `epoll_ctl` more.)
const IN_VAIN: u32 = 8;

/// epoll's data for the hub's bell (its eventfd).
pub(crate) const BELL: u64 = u64::MAX;

/// A task in a registration's queue. Lives in a pinned future that unlinks it before it goes.
#[derive(Debug)]
pub(crate) struct Waiter {
    next: Cell<*const Waiter>,
    prev: Cell<*const Waiter>,
    task: &'static Task,
    interest: u32,
    /// Takes what comes, so that the others need not be woken for it.
    takes: bool,
    /// The registration, while linked.
    at: Cell<Option<u32>>,
    /// What to set when an event comes, while linked: a flag in the same future.
    fired: Cell<*const Cell<bool>>,
    _pin: PhantomPinned,
}

impl Waiter {
    fn new(task: &'static Task, interest: u32, takes: bool) -> Self {
        Self {
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            task,
            interest,
            takes,
            at: Cell::new(None),
            fired: Cell::new(ptr::null()),
            _pin: PhantomPinned,
        }
    }

    fn fired(&self) -> &Cell<bool> {
        // SAFETY: set when the waiter was linked, to a flag in the same pinned future.
        unsafe { &*self.fired.get() }
    }

    fn wake(&self) {
        self.fired().set(true);
        self.task.wake();
    }
}

/// A place among those who take what comes: they are woken one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    slot: u32,
    serial: u32,
    interest: u32,
}

#[derive(Debug)]
struct Registration {
    fd: i32,
    generation: u32,
    /// Tells a slot's registrations apart in epoll's data.
    serial: u32,
    /// What epoll tells of.
    armed: u32,
    /// A TCP socket, which is told of urgent data as well.
    is_tcp: bool,
    /// What the latest event told.
    told: u32,
    /// All that came has been read.
    is_dry: bool,
    /// How many events have come since somebody last waited.
    in_vain: u32,
    /// How often the program had entered rings when epoll was last told of the file.
    rings: u32,
    first: *const Waiter,
    last: *const Waiter,
}

/// The registrations of one hub, touched by its thread only.
#[derive(Debug)]
pub(crate) struct Readiness {
    epoll: Cell<i32>,
    state: UnsafeCell<State>,
}

#[derive(Debug, Default)]
struct State {
    slots: Vec<Registration>,
    free: Vec<u32>,
    /// By descriptor number: the slot of its present registration, plus one.
    by_fd: Vec<u32>,
    waiting: usize,
}

impl Readiness {
    pub(crate) fn new() -> Self {
        Self {
            epoll: Cell::new(-1),
            state: UnsafeCell::default(),
        }
    }

    #[allow(clippy::mut_from_ref)]
    fn state(&self) -> &mut State {
        // SAFETY: only the hub's thread comes here, and no caller keeps the reference over a call that comes again.
        unsafe { &mut *self.state.get() }
    }

    /// Starts with an epoll descriptor.
    pub(crate) fn open(&self, epoll: i32) {
        self.epoll.set(epoll);
    }

    /// Forgets everything: nobody waits, and the epoll descriptor is closed.
    pub(super) fn reset(&self) {
        self.epoll.set(-1);
        *self.state() = State::default();
    }

    pub(crate) fn epoll(&self) -> i32 {
        self.epoll.get()
    }

    /// How many waiters there are: while none, the hub need not poll.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting
    }

    /// Puts a waiter on a file's queue. `EPERM`: it cannot be polled, it is always ready.
    fn link(&self, file: &Held, waiter: &Waiter, fired: &Cell<bool>) -> Result<Turn, Errno> {
        // The generation is looked at and the file registered while nobody can close the number.
        let slot =
            file.with_generation(|fd, generation| self.register(fd, generation, waiter.interest))??;
        let state = self.state();
        let r = &mut state.slots[slot as usize];
        waiter.fired.set(fired);
        waiter.at.set(Some(slot));
        waiter.next.set(ptr::null());
        waiter.prev.set(r.last);
        if r.last.is_null() {
            r.first = waiter;
        } else {
            // SAFETY: linked waiters are alive: they unlink themselves when dropped.
            unsafe { (*r.last).next.set(waiter) };
        }
        r.last = waiter;
        state.waiting += 1;
        Ok(Turn {
            slot,
            serial: r.serial,
            interest: waiter.interest,
        })
    }

    fn unlink(&self, waiter: &Waiter) {
        let Some(slot) = waiter.at.take() else { return };
        let state = self.state();
        let r = &mut state.slots[slot as usize];
        let (prev, next) = (waiter.prev.get(), waiter.next.get());
        // SAFETY: neighbours are linked, hence alive.
        unsafe {
            if prev.is_null() {
                r.first = next;
            } else {
                (*prev).next.set(next);
            }
            if next.is_null() {
                r.last = prev;
            } else {
                (*next).prev.set(prev);
            }
        }
        state.waiting -= 1;
        if r.first.is_null() && !r.has_number(slot, &state.by_fd) {
            // The number has gone on to another file: nobody will wait here again.
            r.serial = r.serial.wrapping_add(1);
            state.free.push(slot);
        }
    }

    /// Finds or makes the registration of the file that a number means in a generation, and sees to it that epoll tells of `interest`.
    fn register(&self, fd: i32, generation: u32, interest: u32) -> Result<u32, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::BADF)?;
        if self.epoll.get() < 0 {
            // A lone hub's first wait for a descriptor. What it cannot have here it has in the kernel.
            let hub = super::current().filter(|h| !h.has_own_files());
            let hub = hub.ok_or(Errno::NOMEM)?;
            hub.open().map_err(|_| Errno::NOMEM)?;
        }
        let state = self.state();
        if state.by_fd.len() <= index {
            state.by_fd.resize(index + 64, 0);
        }
        if let Some(slot) = state.by_fd[index].checked_sub(1) {
            let r = &mut state.slots[slot as usize];
            if r.generation == generation {
                r.in_vain = 0;
                // A ring of the program's may have closed the file since, unseen, and the number be another's.
                let doubt = r.first.is_null() && r.rings != rings::entered();
                if interest & !r.armed == 0 && !doubt {
                    return Ok(slot);
                }
                // What is there already is told, too.
                let events = r.armed | r.least() | interest;
                r.rings = rings::entered();
                match self.arm(libc::EPOLL_CTL_MOD, fd, slot, r.serial, events) {
                    Ok(()) => {
                        r.armed = events;
                        return Ok(slot);
                    }
                    Err(Errno(libc::ENOENT)) if doubt => {}
                    Err(e) => return Err(e),
                }
            }
            state.by_fd[index] = 0;
            if r.first.is_null() {
                r.serial = r.serial.wrapping_add(1);
                state.free.push(slot);
            }
        }
        #[allow(clippy::cast_possible_truncation)]
        let slot = state.free.pop().unwrap_or_else(|| {
            state.slots.push(Registration {
                fd,
                generation,
                serial: 0,
                armed: 0,
                is_tcp: false,
                told: 0,
                is_dry: false,
                in_vain: 0,
                rings: 0,
                first: ptr::null(),
                last: ptr::null(),
            });
            state.slots.len() as u32 - 1
        });
        let r = &mut state.slots[slot as usize];
        (r.fd, r.generation, r.in_vain) = (fd, generation, 0);
        r.rings = rings::entered();
        (r.is_tcp, r.told, r.is_dry) = (fds::is_plain(fd) && is_tcp(fd), 0, false);
        r.armed = r.least() | interest;
        let mut added = self.arm(libc::EPOLL_CTL_ADD, fd, slot, r.serial, r.armed);
        if added == Err(Errno(libc::EEXIST)) {
            // The same file came back to the same number, under which epoll still has it for an old registration.
            added = self.arm(libc::EPOLL_CTL_MOD, fd, slot, r.serial, r.armed);
            self.dissolve(fd, slot);
        }
        if let Err(e) = added {
            state.free.push(slot);
            return Err(e);
        }
        state.by_fd[index] = slot + 1;
        Ok(slot)
    }

    /// Epoll tells of a file no more under an old registration of its number, which is not known among several: all those who wait there look again, and wait under
    /// the numbers of the runtime's own by which they have their files.
    fn dissolve(&self, fd: i32, but: u32) {
        let state = self.state();
        for (slot, r) in (0..).zip(&mut state.slots) {
            if r.fd != fd || slot == but || r.first.is_null() {
                continue;
            }
            let mut next = r.first;
            (r.first, r.last) = (ptr::null(), ptr::null());
            // SAFETY: linked waiters are alive: they unlink themselves when dropped. Waking only queues their tasks.
            while let Some(waiter) = unsafe { next.as_ref() } {
                next = waiter.next.get();
                waiter.at.set(None);
                waiter.wake();
                state.waiting -= 1;
            }
            r.serial = r.serial.wrapping_add(1);
            state.free.push(slot);
        }
    }

    /// Has epoll tell of events on a number.
    fn arm(&self, how: i32, fd: i32, slot: u32, serial: u32, events: u32) -> Result<(), Errno> {
        let mut event = libc::epoll_event {
            events: events | libc::EPOLLET as u32,
            u64: u64::from(slot) | u64::from(serial) << 32,
        };
        // SAFETY: `event` is valid; a bad descriptor is an error.
        unsafe { sys!(SYS_epoll_ctl, self.epoll.get(), how, fd, &mut event) }.map(|_| ())
    }

    fn registration(&self, slot: u32, serial: u32) -> Option<&Registration> {
        self.state()
            .slots
            .get(slot as usize)
            .filter(|r| r.serial == serial)
    }

    /// An event from epoll: wakes those who wait for it. Each looks again, and waits on if it finds nothing.
    pub(crate) fn event(&self, data: u64, events: u32) {
        #[allow(clippy::cast_possible_truncation)]
        let (slot, serial) = (data as u32, (data >> 32) as u32);
        let state = self.state();
        let found = state.slots.get_mut(slot as usize);
        let Some(r) = found.filter(|r| r.serial == serial) else {
            return;
        };
        (r.told, r.is_dry) = (events, false);
        r.wake(events, events & LASTING != 0);
        if r.first.is_null() {
            r.in_vain = r.in_vain.saturating_add(1);
            if r.in_vain == IN_VAIN && r.has_number(slot, &state.by_fd) {
                // The number may be another file's by now, which epoll does not know under it: an error.
                let _ = self.arm(libc::EPOLL_CTL_MOD, r.fd, slot, r.serial, 0);
                r.armed = 0;
            }
        }
    }

    /// A read from a socket gave `got` bytes of `room`: something, and less than there was room for, says that nothing is left.
    #[inline]
    pub(crate) fn has_read(&self, file: &Held, got: usize, room: usize) {
        if got == 0 || got >= room {
            return;
        }
        if let Some(r) = self.present(file) {
            r.is_dry = r.is_tcp && r.told & (LASTING | URGENT) == 0;
        }
    }

    /// Whether a read from a socket that may wait need not be tried: there is nothing to read, or epoll will tell of it.
    #[inline]
    pub(crate) fn is_dry(&self, file: &Held) -> bool {
        self.present(file).is_some_and(|r| r.is_dry) && fds::is_plain(file.number())
    }

    /// The registration of a file that still has its number.
    fn present(&self, file: &Held) -> Option<&mut Registration> {
        let state = self.state();
        let index = usize::try_from(file.number()).ok()?;
        let slot = state.by_fd.get(index)?.checked_sub(1)?;
        let r = state.slots.get_mut(slot as usize)?;
        (r.generation == file.present_generation()?).then_some(r)
    }

    /// Somebody's turn is over: wakes the next.
    pub(crate) fn next_turn(&self, turn: Turn) {
        if let Some(r) = self.registration(turn.slot, turn.serial) {
            r.wake_first(turn.interest);
        }
    }

    /// Wakes all who wait on a number in a generation.
    pub(crate) fn look_again(&self, fd: i32, generation: u32) {
        let state = self.state();
        let same = |r: &&Registration| r.fd == fd && r.generation == generation;
        let now = usize::try_from(fd)
            .ok()
            .and_then(|fd| state.by_fd.get(fd)?.checked_sub(1))
            .and_then(|slot| state.slots.get(slot as usize));
        match now.filter(same) {
            Some(r) => r.wake(ANY, true),
            // The number has gone on: an old registration of its, or several.
            None => state
                .slots
                .iter()
                .filter(same)
                .for_each(|r| r.wake(ANY, true)),
        }
    }
}

/// Whether a socket is TCP's.
fn is_tcp(fd: i32) -> bool {
    fds::option(fd, libc::SO_PROTOCOL) == Ok(libc::IPPROTO_TCP)
        && fds::option(fd, libc::SO_TYPE) == Ok(libc::SOCK_STREAM)
}

impl Registration {
    /// What epoll tells of, whatever those who wait want to know.
    fn least(&self) -> u32 {
        READ | if self.is_tcp { URGENT } else { 0 }
    }

    /// Whether it is its number's present one.
    fn has_number(&self, slot: u32, by_fd: &[u32]) -> bool {
        by_fd.get(usize::try_from(self.fd).unwrap_or(0)) == Some(&(slot + 1))
    }

    fn waiters(&self) -> impl Iterator<Item = &Waiter> {
        // SAFETY: linked waiters are alive: they unlink themselves when dropped. Waking only queues their tasks.
        let at = |waiter: *const Waiter| unsafe { waiter.as_ref() };
        std::iter::successors(at(self.first), move |w| at(w.next.get()))
    }

    /// Wakes those who are interested; of those who take what comes only the first reader and the first writer, unless all are to be.
    fn wake(&self, events: u32, all: bool) {
        let mut taken = 0;
        for waiter in self.waiters().filter(|w| w.interest & events != 0) {
            let takes = waiter.interest & events & DIRECTIONS;
            if waiter.takes && !all && takes != 0 {
                if takes & !taken == 0 {
                    continue;
                }
                taken |= takes;
            }
            waiter.wake();
        }
    }

    fn wake_first(&self, interest: u32) {
        let mut takers = self.waiters().filter(|w| w.takes);
        if let Some(next) = takers.find(|w| w.interest & interest & DIRECTIONS != 0) {
            next.wake();
        }
    }
}

/// Waits until a file may be ready. A hint: try again, and wait again.
///
/// Ready at once with `EPERM` if it cannot be polled. Polled and dropped on its task's hub.
#[derive(Debug)]
pub(crate) struct Ready<'a> {
    file: &'a Held,
    waiter: Waiter,
    fired: Cell<bool>,
}

impl<'a> Ready<'a> {
    /// For something that the call will take: data, room, a connection, a bundle of events.
    pub(crate) fn in_turn(task: &'static Task, file: &'a Held, interest: u32) -> Self {
        Self::new(task, file, interest, true)
    }

    /// For something that all can have.
    pub(crate) fn for_all(task: &'static Task, file: &'a Held, interest: u32) -> Self {
        Self::new(task, file, interest, false)
    }

    fn new(task: &'static Task, file: &'a Held, interest: u32, takes: bool) -> Self {
        Self {
            file,
            waiter: Waiter::new(task, interest, takes),
            fired: Cell::new(false),
        }
    }
}

impl Future for Ready<'_> {
    type Output = Result<(), Errno>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.as_ref().get_ref();
        if this.fired.get() || this.waiter.task.take_news() {
            return Poll::Ready(Ok(()));
        }
        if this.waiter.at.get().is_none() {
            let readiness = &this.waiter.task.hub().readiness;
            this.file.set_turn(None);
            let turn = match readiness.link(this.file, &this.waiter, &this.fired) {
                Ok(turn) => turn,
                Err(e) => return Poll::Ready(Err(e)),
            };
            // Held from now on, and looked at only after a wake-up, or when the call ends without one: then the next is woken for
            // nothing, once.
            this.file.set_turn(this.waiter.takes.then_some(turn));
        }
        Poll::Pending
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        self.waiter.task.hub().readiness.unlink(&self.waiter);
    }
}

/// Waits until any of several files may be ready; those that cannot be polled do not count. Can be waited for again ([`Self::again`]).
#[derive(Debug)]
pub(crate) struct AnyReady {
    task: &'static Task,
    members: Vec<(Held, Waiter)>,
    /// All that could be are linked.
    linked: Cell<bool>,
    fired: Cell<bool>,
    _pin: PhantomPinned,
}

impl AnyReady {
    /// # Errors
    /// `ENOMEM`.
    pub(crate) fn new(
        task: &'static Task,
        wanted: impl Iterator<Item = (i32, u32)>,
    ) -> Result<Self, Errno> {
        /// So many are waited for even from the reserve.
        const FEW: usize = 64;
        let mut members = Vec::new();
        let most = wanted.size_hint().1.unwrap_or(0);
        if most > FEW && heap::is_scarce() {
            return Err(Errno::NOMEM);
        }
        members.try_reserve_exact(most).map_err(|_| Errno::NOMEM)?;
        members.extend(
            wanted.map(|(fd, interest)| (Held::new(fd), Waiter::new(task, interest, false))),
        );
        Ok(Self {
            task,
            members,
            linked: Cell::new(false),
            fired: Cell::new(false),
            _pin: PhantomPinned,
        })
    }

    /// What came has been looked at: waits for more.
    pub(crate) fn again(&self) {
        self.fired.set(false);
        // Whose registration was dissolved.
        let is_lost = |w: &Waiter| w.at.get().is_none() && !w.fired.get().is_null();
        if self.members.iter().any(|(_, w)| is_lost(w)) {
            self.linked.set(false);
        }
    }

    fn link(&self) -> Result<(), Errno> {
        let readiness = &self.task.hub().readiness;
        self.linked.set(true);
        for (file, waiter) in self.members.iter().filter(|(_, w)| w.at.get().is_none()) {
            if !file.hold() {
                // Closed since the caller looked: let it look again, and then come back.
                self.fired.set(true);
                self.linked.set(false);
                continue;
            }
            match readiness.link(file, waiter, &self.fired) {
                // What cannot be polled is always ready, and the caller has seen that it was not: nothing is wanted of it.
                Ok(_) | Err(Errno::PERM) => {}
                Err(Errno::BADF) => self.fired.set(true),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

impl Future for AnyReady {
    type Output = Result<(), Errno>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.linked.get() {
            self.link()?;
        }
        if self.fired.get() || self.task.take_news() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

impl Drop for AnyReady {
    fn drop(&mut self) {
        for (_, waiter) in &self.members {
            self.task.hub().readiness.unlink(waiter);
        }
    }
}
