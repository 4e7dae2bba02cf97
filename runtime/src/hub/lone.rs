//! Lone hubs: a task that has an OS thread of its own, for the rest of its life.
//!
//! The kernel keeps some things for each OS thread: credentials, seccomp filters, namespaces, a working directory of one's own. A task that asks
//! for such a thing, and is not the only one, gets a hub that carries it and nobody else. Its thread is made by the thread that runs the task at
//! that time, by a clone that shares what threads share, and so it begins with what the task had; the task moves there before its call is made.
//! Whatever the task does in the kernel is done by this one thread from then on, as natively: what would be the pool's or a carrier's is made
//! in place, and may wait there. Threads that the task creates have lone hubs, too, made by its own.
//!
//! A lone hub is a hub: it has an inbox, timers and readiness, and its task crosses and parks like any other. What differs:
//!
//! - It is not among [`super::all`]: no other task comes to it, and its own never leaves.
//! - It has no descriptors until its task first waits for one; until then it sleeps on a futex word, and that is its bell. If there are none to be had,
//!   the wait is made in the kernel, in place.
//! - The receiver does not watch it: nobody waits behind its task, so it need not be preempted or relieved. But a signal for a task that was on its way
//!   into the kernel or the program is told by a kick that strikes at nothing. So whoever signals it [insists](Hub::insist): the receiver
//!   kicks again until the task has seen the signal.
//!
//! A lone hub ends with its task, when nobody can have the task in hand for its queue any more (`owed`). Its memory stays, for the next one: a waker may
//! be about to ring it.

use super::worker::Worker;
use super::{set_current, worker, world, Hub};
use crate::signal::{self, receiver};
use crate::spin::Spin;
use crate::sys;
use crate::sys::Errno;
use crate::task::{lock, Task};
use crate::{heap, own, thread};
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::Mutex;

/// The most lone hubs there can be.
pub(super) const MOST: usize = 16_384;
/// Stack of a lone hub's thread: as of any hub's.
const STACK: usize = 256 << 10;

/// What a lone hub has more than others.
#[derive(Debug)]
pub(super) struct Lone {
    slot: usize,
    /// From before its thread is made until it ends.
    live: AtomicBool,
    /// Its task has ended.
    over: Cell<bool>,
    /// The ended task is in the inbox, or about to be.
    owed: Cell<usize>,
    /// Changes when the bell is rung that is no descriptor.
    word: AtomicU32,
    /// Held to ring the bell, or to close it: its number is somebody else's then. Who rings may have a task's FS base.
    ringing: Spin<()>,
    /// The task was signalled, and may not have noticed.
    insisted: AtomicBool,
    /// The thread has a table of descriptors that the others do not share.
    own_files: Cell<bool>,
}

static SLOTS: [AtomicPtr<Hub>; MOST] = [const { AtomicPtr::new(ptr::null_mut()) }; MOST];
/// Slots from here on were never used. Changed under the lock of [`FREE`].
static HIGH: AtomicUsize = AtomicUsize::new(0);
static FREE: Mutex<Vec<usize>> = Mutex::new(Vec::new());
/// Some lone hub's task was signalled, and may not have noticed.
static INSISTED: AtomicBool = AtomicBool::new(false);

impl Lone {
    fn new(slot: usize) -> Self {
        Self {
            slot,
            live: AtomicBool::new(false),
            over: Cell::new(false),
            owed: Cell::new(0),
            word: AtomicU32::new(0),
            ringing: Spin::new(()),
            insisted: AtomicBool::new(false),
            own_files: Cell::new(false),
        }
    }

    /// The task has ended.
    pub(super) fn has_ended(&self) {
        self.over.set(true);
    }

    /// The task that has ended was taken out of the queue.
    pub(super) fn released(&self) {
        self.owed.set(self.owed.get() - 1);
    }

    /// What [`Hub::wait_alone`] is to know of the bell from before the hub says that it sleeps.
    pub(super) fn rung(&self) -> u32 {
        self.word.load(Ordering::SeqCst)
    }

    /// Wakes the hub, which sleeps.
    pub(super) fn ring(&self, bell: &AtomicI32) {
        let _ringing = self.ringing.lock();
        let bell = bell.load(Ordering::Acquire);
        if bell >= 0 {
            let one = 1u64;
            // SAFETY: writes eight bytes to the hub's eventfd, which is not closed meanwhile.
            let _ = unsafe { sys!(SYS_write, bell, &one, 8) };
        }
        // Both: the hub may have opened its descriptors since it fell asleep the last time.
        self.word.fetch_add(1, Ordering::SeqCst);
        if bell < 0 {
            sys::futex_wake(&self.word, 1);
        }
    }
}

/// The lone hubs that there are.
pub(crate) fn all() -> impl Iterator<Item = &'static Hub> {
    // SAFETY: null, or a hub, which is never freed.
    let hub = |slot: &AtomicPtr<Hub>| unsafe { slot.load(Ordering::Acquire).as_ref() };
    let is_live = |lone: &Lone| lone.live.load(Ordering::Acquire);
    SLOTS[..HIGH.load(Ordering::Acquire)]
        .iter()
        .filter_map(hub)
        .filter(move |h| h.lone.as_ref().is_some_and(is_live))
}

/// The task that a thread carries alone.
pub(crate) fn carried_by(tid: i32) -> Option<&'static Task> {
    let carries = |hub: &&Hub| {
        // SAFETY: workers are leaked. A hub that begins may have none yet.
        let worker = unsafe { hub.worker.load(Ordering::Acquire).as_ref() };
        worker.is_some_and(|w| w.tid() == tid)
    };
    let hub = all().find(carries)?;
    // SAFETY: tasks' memory is never unmapped.
    let task = unsafe { hub.current.load(Ordering::SeqCst).as_ref() }?;
    task.live.load(Ordering::SeqCst).then_some(task)
}

/// A lone hub without a thread, for a task. Either [`start`] it or [`give_back`].
///
/// # Errors
/// `EAGAIN` if there are too many, `ENOMEM`.
pub(crate) fn reserve() -> Result<&'static Hub, Errno> {
    if heap::is_scarce() {
        return Err(Errno::NOMEM);
    }
    let mut free = lock(&FREE);
    let slot = match free.pop() {
        Some(slot) => slot,
        None => {
            let high = HIGH.load(Ordering::Relaxed);
            if high == MOST {
                return Err(Errno::AGAIN);
            }
            let hub = Hub::new(super::all().len() + high, Some(Lone::new(high)));
            SLOTS[high].store(Box::leak(Box::new(hub)), Ordering::Release);
            HIGH.store(high + 1, Ordering::Release);
            high
        }
    };
    drop(free);
    // SAFETY: stored when the slot was first used, never freed.
    Ok(unsafe { &*SLOTS[slot].load(Ordering::Acquire) })
}

/// As [`reserve`], for a thread that another hub's makes: that of a lone hub, whose descriptors it will share.
///
/// # Errors
/// As there.
pub(crate) fn reserve_like(maker: &Hub) -> Result<&'static Hub, Errno> {
    let hub = reserve()?;
    hub.own().own_files.set(maker.has_own_files());
    Ok(hub)
}

/// Starts the hub's thread, with all that the kernel keeps for the calling one.
///
/// # Errors
/// The kernel's. The hub is given back then.
pub(crate) fn start(hub: &'static Hub) -> Result<(), Errno> {
    hub.own().over.set(false);
    hub.own().live.store(true, Ordering::Release);
    thread::spawn_for(STACK, run, ptr::from_ref(hub) as usize).inspect_err(|_| give_back(hub))
}

/// The hub is free for another task.
pub(crate) fn give_back(hub: &'static Hub) {
    let lone = hub.own();
    lone.live.store(false, Ordering::Release);
    lone.own_files.set(false);
    lock(&FREE).push(lone.slot);
}

/// A lone hub's thread, from its beginning to its end.
fn run() -> ! {
    let inside = world::Section::enter();
    // SAFETY: `start` gave it; hubs are never freed.
    let hub: &'static Hub = unsafe { &*(thread::argument() as *const Hub) };
    let slot = hub.own().slot;
    let worker = Worker::enter_alone(slot);
    drop(inside);
    hub.serve_alone(worker);
    // (Its task has withdrawn it from orders for all threads.) As a hub it stands still; as a thread it is inside the runtime, until it is gone.
    worker.resting.store(1, Ordering::SeqCst);
    let inside = world::Section::enter();
    set_current(None);
    hub.close();
    worker::leave_alone(slot);
    signal::set_kernel_mask(!0);
    worker.give_signal_stack_back();
    give_back(hub);
    drop(inside);
    thread::end()
}

impl Hub {
    /// Whether the hub carries one task, for its life.
    #[inline]
    pub(crate) fn is_lone(&self) -> bool {
        self.lone.is_some()
    }

    /// The task has come to its own thread, which is to have its name, for whoever looks at threads.
    #[cold]
    pub(super) fn name_thread(task: &Task) {
        let name = task.name.get();
        // SAFETY: 16 bytes with a NUL.
        let _ = unsafe { sys!(SYS_prctl, libc::PR_SET_NAME, name.as_ptr()) };
    }

    fn own(&self) -> &Lone {
        self.lone.as_ref().expect("a lone hub")
    }

    /// The ended task of a lone hub was claimed by a waker, who puts it into the inbox.
    pub(crate) fn owes(&self) {
        if let Some(lone) = &self.lone {
            lone.owed.set(lone.owed.get() + 1);
        }
    }

    /// Runs the hub on this thread as long as its task lives.
    fn serve_alone(&'static self, worker: &'static Worker) {
        let lone = self.own();
        self.adopt(worker);
        loop {
            self.round(worker);
            if lone.over.get() && lone.owed.get() == 0 {
                return;
            }
            self.wait(worker);
        }
    }

    /// Waits for the bell, at most `timeout` ns (`u64::MAX`: for ever), and for what the task waits for.
    pub(super) fn wait_alone(&'static self, seen: u32, timeout: u64) {
        let word = &self.own().word;
        if self.readiness.epoll() >= 0 {
            self.poll_epoll(timeout);
        } else if timeout == u64::MAX {
            sys::futex_wait(word, seen);
        } else {
            sys::futex_wait_for(word, seen, timeout);
        }
    }

    /// Takes news after a call that the task made in place: they may have come before what the call waited for.
    #[inline]
    pub(crate) fn heed(&'static self) {
        if self.lone.is_some() && self.has_news.load(Ordering::SeqCst) {
            self.take_news();
        }
    }

    /// Runs `f`, a wait in the kernel, with the hub counted as stopped.
    pub(crate) fn at_rest(&self, f: impl FnOnce()) {
        world::at_rest(self.worker(), f);
    }

    /// Sees to it that a lone hub's task notices a signal, wherever it is.
    pub(crate) fn insist(&self) {
        if let Some(lone) = &self.lone {
            lone.insisted.store(true, Ordering::SeqCst);
            INSISTED.store(true, Ordering::SeqCst);
            receiver::hub_awake();
        }
    }

    /// Whether the hub's thread has a table of descriptors of its own, so that numbers mean something else there.
    #[inline]
    pub(crate) fn has_own_files(&self) -> bool {
        self.lone.as_ref().is_some_and(|lone| lone.own_files.get())
    }

    /// From now on it has.
    pub(crate) fn set_own_files(&self) {
        self.own().own_files.set(true);
    }

    /// Closes a lone hub's descriptors, when its task has ended.
    fn close(&self) {
        self.let_go_of_files();
        lock(&self.news).clear();
        self.has_news.store(false, Ordering::SeqCst);
        self.current.store(ptr::null_mut(), Ordering::Relaxed);
    }

    /// Closes a lone hub's descriptors. Its task waits for nothing; should it do so again, they are opened again.
    pub(crate) fn let_go_of_files(&self) {
        let ringing = self.own().ringing.lock();
        let bell = self.bell.swap(-1, Ordering::AcqRel);
        if bell >= 0 {
            own::close(bell);
        }
        drop(ringing);
        if bell >= 0 {
            own::close(self.readiness.epoll());
        }
        self.readiness.reset();
    }
}

/// Whether the receiver has to see to a lone hub.
pub(crate) fn is_insisted() -> bool {
    INSISTED.load(Ordering::SeqCst)
}

/// For the receiver: kicks those whose task was signalled and has not looked yet.
pub(crate) fn insist() {
    if !INSISTED.swap(false, Ordering::SeqCst) {
        return;
    }
    for hub in all().filter(|h| h.own().insisted.swap(false, Ordering::SeqCst)) {
        // SAFETY: tasks' memory is never unmapped.
        let task = unsafe { hub.current.load(Ordering::SeqCst).as_ref() };
        if task.is_some_and(signal::would_interrupt) {
            let worker = hub.worker();
            if worker.gate.in_program.load(Ordering::SeqCst) != 0 {
                signal::preempt::send(worker);
            }
            hub.own().insisted.store(true, Ordering::SeqCst);
            INSISTED.store(true, Ordering::SeqCst);
        }
    }
}

/// In a forked child: there are none.
pub(super) fn forget_all() {
    for slot in &SLOTS[..HIGH.swap(0, Ordering::AcqRel)] {
        slot.store(ptr::null_mut(), Ordering::Release);
    }
    lock(&FREE).clear();
    INSISTED.store(false, Ordering::Relaxed);
}
