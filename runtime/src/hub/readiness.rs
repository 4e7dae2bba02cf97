//! Readiness: which tasks of a hub wait for which descriptors, on the hub's own epoll.
//!
//! A descriptor is registered once, edge-triggered, for everything, when a task first waits on it, and stays registered until
//! its file is gone: no `epoll_ctl` a wait. An edge is never lost: a task tries its call, gets `EAGAIN`, and is put on the
//! queue without giving the hub a chance to look at epoll in between, so what comes after the try is seen after the queueing.
//!
//! A *registration* belongs to an open file, not to a number. When the program closes a number on which tasks wait, the old
//! registration lives on with its waiters (see [`crate::syscalls::close`]), and the number's next file gets its own.

use crate::fds;
use crate::sys;
use crate::sys::Errno;
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
pub(crate) const ANY: u32 = READ | WRITE | libc::EPOLLPRI as u32;

/// epoll's data for the hub's bell (its eventfd).
pub(crate) const BELL: u64 = u64::MAX;

/// A task in a registration's queue. Lives in a pinned future that unlinks it before it goes.
#[derive(Debug)]
pub(crate) struct Waiter {
    next: Cell<*const Waiter>,
    prev: Cell<*const Waiter>,
    task: &'static Task,
    interest: u32,
    /// One of those of whom an event wakes one only.
    in_turn: bool,
    /// The registration's index while linked.
    at: Cell<Option<u32>>,
    fired: Cell<bool>,
    _pin: PhantomPinned,
}

impl Waiter {
    fn new(task: &'static Task, interest: u32, in_turn: bool) -> Self {
        Self {
            next: Cell::new(ptr::null()),
            prev: Cell::new(ptr::null()),
            task,
            interest,
            in_turn,
            at: Cell::new(None),
            fired: Cell::new(false),
            _pin: PhantomPinned,
        }
    }
}

#[derive(Debug)]
struct Registration {
    fd: i32,
    generation: u32,
    /// Tells a slot's registrations apart in epoll's data.
    serial: u32,
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

    pub(crate) fn epoll(&self) -> i32 {
        self.epoll.get()
    }

    /// How many waiters there are: while none, the hub need not poll.
    pub(crate) fn waiting(&self) -> usize {
        self.state().waiting
    }

    /// Puts a waiter on a descriptor's queue. `EPERM`: the file cannot be polled, it is always ready.
    fn link(&self, fd: i32, waiter: &Waiter) -> Result<(), Errno> {
        let slot = self.register(fd)?;
        let state = self.state();
        let r = &mut state.slots[slot as usize];
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
        Ok(())
    }

    fn unlink(&self, waiter: &Waiter) {
        let Some(slot) = waiter.at.take() else { return };
        let state = self.state();
        let r = &mut state.slots[slot as usize];
        if waiter.in_turn && waiter.fired.take() {
            // It had the turn and goes without a look.
            Self::give_turn(r);
        }
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
        if r.first.is_null()
            && state.by_fd.get(usize::try_from(r.fd).unwrap_or(0)) != Some(&(slot + 1))
        {
            // The number has gone on to another file: nobody will wait here again.
            r.serial = r.serial.wrapping_add(1);
            state.free.push(slot);
        }
    }

    /// Finds or makes the registration of the file that a number means now.
    fn register(&self, fd: i32) -> Result<u32, Errno> {
        let index = usize::try_from(fd).map_err(|_| Errno::BADF)?;
        let generation = fds::entry(fd).map_or(0, fds::Entry::generation);
        let state = self.state();
        if state.by_fd.len() <= index {
            state.by_fd.resize(index + 64, 0);
        }
        if let Some(slot) = state.by_fd[index].checked_sub(1) {
            let r = &mut state.slots[slot as usize];
            if r.generation == generation {
                return Ok(slot);
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
                first: ptr::null(),
                last: ptr::null(),
            });
            state.slots.len() as u32 - 1
        });
        let r = &mut state.slots[slot as usize];
        (r.fd, r.generation) = (fd, generation);
        let mut event = libc::epoll_event {
            events: ANY | libc::EPOLLET as u32,
            u64: u64::from(slot) | u64::from(r.serial) << 32,
        };
        // SAFETY: `event` is valid; a bad descriptor is an error.
        let mut added = unsafe {
            sys!(
                SYS_epoll_ctl,
                self.epoll.get(),
                libc::EPOLL_CTL_ADD,
                fd,
                &mut event
            )
        };
        if added == Err(Errno(libc::EEXIST)) {
            // The same file came back to the same number; its old registration is still there.
            // SAFETY: as above.
            added = unsafe {
                sys!(
                    SYS_epoll_ctl,
                    self.epoll.get(),
                    libc::EPOLL_CTL_MOD,
                    fd,
                    &mut event
                )
            };
        }
        if let Err(e) = added {
            state.free.push(slot);
            return Err(e);
        }
        state.by_fd[index] = slot + 1;
        Ok(slot)
    }

    /// An event from epoll: wakes those who wait for it. Each looks again, and waits on if it finds nothing. Of those who wait in turn
    /// the first is woken that is not woken already: an event may stand for several things that have come, so who ends a call
    /// wakes the next ([`Self::next_turn`]), and so on until one finds nothing.
    pub(crate) fn event(&self, data: u64, events: u32) {
        #[allow(clippy::cast_possible_truncation)]
        let (slot, serial) = (data as u32 as usize, (data >> 32) as u32);
        let Some(r) = self.state().slots.get(slot) else {
            return;
        };
        if r.serial != serial {
            return;
        }
        let mut at = r.first;
        let mut turn_given = false;
        while !at.is_null() {
            // SAFETY: linked waiters are alive; waking only queues the task.
            let waiter = unsafe { &*at };
            at = waiter.next.get();
            if waiter.interest & events == 0 || waiter.in_turn && (turn_given || waiter.fired.get())
            {
                continue;
            }
            turn_given |= waiter.in_turn;
            waiter.fired.set(true);
            waiter.task.wake();
        }
    }

    /// Gives the turn to the next of those who wait on a descriptor in turn. `origin` is the number and the generation by which
    /// they knew its file first: if that was closed since, they are on two registrations, and all look again.
    pub(crate) fn next_turn(&self, fd: i32, (number, generation): (i32, u32)) {
        if fd != number {
            self.look_again(number, generation);
        }
        let state = self.state();
        let slot = usize::try_from(fd).ok().and_then(|i| state.by_fd.get(i));
        if let Some(slot) = slot.and_then(|s| s.checked_sub(1)) {
            Self::give_turn(&state.slots[slot as usize]);
        }
    }

    fn give_turn(r: &Registration) {
        let mut at = r.first;
        while !at.is_null() {
            // SAFETY: as in `event`.
            let waiter = unsafe { &*at };
            if waiter.in_turn && !waiter.fired.get() {
                waiter.fired.set(true);
                return waiter.task.wake();
            }
            at = waiter.next.get();
        }
    }

    /// Wakes all who wait on a number in a generation, in turn or not.
    pub(crate) fn look_again(&self, fd: i32, generation: u32) {
        let state = self.state();
        for slot in 0..state.slots.len() {
            let r = &state.slots[slot];
            if r.fd != fd || r.generation != generation {
                continue;
            }
            let mut at = r.first;
            while !at.is_null() {
                // SAFETY: as in `event`.
                let waiter = unsafe { &*at };
                at = waiter.next.get();
                waiter.fired.set(true);
                waiter.task.wake();
            }
        }
    }
}

/// Waits until a descriptor may be ready. A hint: try again, and wait again.
///
/// Ready at once with `EPERM` if it cannot be polled. Polled and dropped on its task's hub.
#[derive(Debug)]
pub(crate) struct Ready {
    fd: i32,
    waiter: Waiter,
}

impl Ready {
    pub(crate) fn new(task: &'static Task, fd: i32, interest: u32) -> Self {
        Self {
            fd,
            waiter: Waiter::new(task, interest, false),
        }
    }

    /// Of those who wait so on a hub, one at a time is woken; see [`Readiness::event`].
    pub(crate) fn in_turn(task: &'static Task, fd: i32, interest: u32) -> Self {
        Self {
            fd,
            waiter: Waiter::new(task, interest, true),
        }
    }
}

impl Future for Ready {
    type Output = Result<(), Errno>;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        // Taken: what came is for this task to look at.
        if self.waiter.fired.take() {
            return Poll::Ready(Ok(()));
        }
        if self.waiter.at.get().is_none() {
            if let Err(e) = self.waiter.task.hub().readiness.link(self.fd, &self.waiter) {
                return Poll::Ready(Err(e));
            }
        }
        Poll::Pending
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        self.waiter.task.hub().readiness.unlink(&self.waiter);
    }
}

/// Waits until any of several descriptors may be ready; those that cannot be polled do not count.
#[derive(Debug)]
pub(crate) struct AnyReady {
    task: &'static Task,
    waiters: Box<[(i32, Waiter)]>,
    linked: bool,
}

impl AnyReady {
    pub(crate) fn new(task: &'static Task, wanted: impl Iterator<Item = (i32, u32)>) -> Self {
        Self {
            task,
            waiters: wanted
                .map(|(fd, interest)| (fd, Waiter::new(task, interest, false)))
                .collect(),
            linked: false,
        }
    }
}

impl Future for AnyReady {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if !self.linked {
            self.linked = true;
            for (fd, waiter) in &*self.waiters {
                // What cannot be polled is always ready, and the caller has seen that it was not: a bad number.
                let _ = self.task.hub().readiness.link(*fd, waiter);
            }
        } else if self.waiters.iter().any(|(_, w)| w.fired.get()) {
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl Drop for AnyReady {
    fn drop(&mut self) {
        for (_, waiter) in &*self.waiters {
            self.task.hub().readiness.unlink(waiter);
        }
    }
}
