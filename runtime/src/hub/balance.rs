//! Which hub a new or woken task goes on at.
//!
//! A task that waits for a descriptor, a timer or a child is bound to its hub, which holds what it waits for. One that waits for a
//! futex alone holds nothing of its hub's, and one that is merely ready neither: such a task is *portable*, and whoever has the right
//! to queue it may queue it elsewhere. Some things are done with that:
//!
//! - **Pull.** A waker that stops soon after it has woken another (a turn handed over, a thread that ends and is joined) takes the woken
//!   task along to its own hub, if that task's hub sleeps: ringing it costs the kernel's two switches, more than the waker still runs.
//!   Whether a task stops soon is learnt from what it did after its last wake-ups ([`Task::rests`]): a hub that has to be rung is rung until
//!   the waker was quick twice, and again as soon as it was not.
//! - **Spread.** A waker whose own hub has tasks ready already queues one more at a hub that sleeps.
//! - **Linger.** A task that is about to wait for a futex, when it would leave its hub without work while others are at work, looks at the word again for a
//!   moment: who has the lock elsewhere is often about to let it go.
//! - **Gather.** A hub that is awake for moments only, and hardly at the same time as the first one, gains nothing by being another: what one does makes
//!   the other's task ready (through a pipe or a socket), and each time a CPU is woken for it. Such a hub sends its tasks to the first one, each when
//!   its wait is over. When that one has more to do than it can, it shares.
//! - **Share.** A hub that does not come to the end of its ready queue, or whose task is asked to make room, gives part of the queue to a
//!   hub that sleeps.
//!
//! Nobody is pulled to a hub that already has clearly more tasks than the one he leaves: waits for descriptors pin tasks where they
//! are, and those should stay spread as evenly as they were made.
//!
//! A hub that carries one task for its life (`hub/lone.rs`) takes no part. With one hub all of this is a comparison that fails.

use super::{all, current, Hub};
use crate::sys;
use crate::task::Task;
use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// A waker that stops within this time (ns) has stopped soon: about what waking another thread through the kernel takes.
const SOON: u64 = 10_000;
/// After so many quick stops in a row a waker is expected to stop soon.
const SURE: i8 = 2;
/// What one slow stop costs: so many quick ones until the waker is at the beginning again.
const DOUBT: i8 = -4;
/// How many ready tasks a hub looks at to share them.
const GLANCE: usize = 64;
/// What a hub does in less than this (ns) keeps nobody waiting for long.
const MOMENT: u64 = 50_000;
/// After so many moments that the first hub could have had in its stead, a hub's tasks are gathered.
const OFTEN: i32 = 64;
/// How many of them one makes up for that was none.
const OTHERWISE: i32 = 16;
/// If a hub is given tasks sooner than this after (ns), it takes twice as many the next time, and so on, so many times.
const LASTING: u64 = 1_000_000_000;
const DOUBLINGS: u32 = 9;

/// How many hubs sleep or are about to. Read to learn that none does, which is the common case.
static SLEEPERS: AtomicUsize = AtomicUsize::new(0);

/// What a hub remembers of its task's last wake-up.
#[derive(Debug, Default)]
pub(crate) struct Balance {
    /// When the task that runs woke another that it might have pulled (CLOCK_MONOTONIC ns); 0: it did not.
    woke_at: Cell<u64>,
    /// The task that runs is about to end.
    ending: Cell<bool>,
    /// When the hub last awoke, and when it last fell asleep (CLOCK_MONOTONIC ns).
    awoke_at: AtomicU64,
    slept_at: AtomicU64,
    /// How often of late the first hub could have done what this one did.
    superfluous: Cell<i32>,
    /// The number of times after which the tasks are gathered has been doubled so often.
    doublings: Cell<u32>,
    /// Since when they are.
    gathered_at: Cell<u64>,
    /// Another hub had too many tasks, and gave some to this one.
    was_given: AtomicBool,
}

impl Balance {
    /// The hub was awake, for a moment in which the first could have done the same, or not.
    fn count(&self, need_not: bool, now: u64) {
        let often = self.often();
        let so_far = self.superfluous.get();
        if self.was_given.swap(false, Ordering::Relaxed) {
            if so_far >= often {
                let lasted = now - self.gathered_at.get() > LASTING;
                let next = if lasted { 0 } else { self.doublings.get() + 1 };
                self.doublings.set(next.min(DOUBLINGS));
            }
            return self.superfluous.set(0);
        }
        if !need_not {
            return self.superfluous.set((so_far - OTHERWISE).max(-OFTEN));
        }
        if so_far + 1 == often {
            self.gathered_at.set(now);
        }
        self.superfluous.set((so_far + 1).min(often));
    }

    fn often(&self) -> i32 {
        OFTEN << self.doublings.get()
    }

    #[inline]
    fn is_gathered(&self) -> bool {
        self.superfluous.get() >= self.often()
    }
}

/// In a forked child: there are no hubs.
pub(super) fn forget_all() {
    SLEEPERS.store(0, Ordering::Relaxed);
}

/// A hub other than `here` that sleeps and that nobody has rung yet.
fn sleeper(here: &Hub) -> Option<&'static Hub> {
    if SLEEPERS.load(Ordering::Relaxed) == 0 || here.is_lone() {
        return None;
    }
    let (before, after) = all().split_at(here.index);
    after
        .iter()
        .skip(1)
        .chain(before)
        .find(|h| h.is_asleep())
        .copied()
}

/// Whether a task that would wait here may as well look for a moment whether another hub's does what it would wait for: nobody here is kept waiting.
#[inline]
pub(crate) fn may_linger(here: &Hub) -> bool {
    here.ready.is_empty() && SLEEPERS.load(Ordering::Relaxed) + 1 < all().len()
}

/// Whether a task may go from one hub to another without making the two clearly uneven.
fn fits(from: &Hub, to: &Hub) -> bool {
    let (from, to) = (
        from.load.load(Ordering::Relaxed),
        to.load.load(Ordering::Relaxed),
    );
    to <= from + 1 + from / 8
}

/// Queues a task that the caller has claimed, for the task that runs here (or for a thread that is no hub).
pub(crate) fn place(task: &'static Task) {
    match current() {
        Some(here) => place_from(here, task),
        None => task.hub().enqueue(task),
    }
}

/// As [`place`], on the thread of this hub.
pub(crate) fn place_from(here: &'static Hub, task: &'static Task) {
    let home = task.hub();
    // A hub with one task neither takes another nor gives its own away.
    if here.is_lone() || home.is_lone() {
        return home.enqueue(task);
    }
    if ptr::eq(home, here) {
        return at_home(here, task);
    }
    if home.is_asleep() {
        let pull = here.stops_soon() && fits(home, here) && is_movable(task);
        // A hub with news, that the trap door must be armed for one, hears them before it runs a task that may know of them.
        if pull && !here.has_news.load(Ordering::SeqCst) {
            task.move_to(here);
            here.ready.push(task);
        } else {
            home.enqueue(task);
        }
        // After the ring, which takes long: it is the time from here on that tells a waker who stops from one who goes on.
        return here.balance.woke_at.set(sys::now(libc::CLOCK_MONOTONIC));
    }
    home.enqueue(task);
}

fn is_movable(task: &Task) -> bool {
    task.turn.is_down() && task.is_portable()
}

/// As [`place`], for a task of this very hub. Asks for no thread-local: the crossing's answers come here (`syscalls/quick.rs`).
pub(crate) fn at_home(here: &'static Hub, task: &'static Task) {
    if !here.ready.is_empty() {
        if let Some(idle) = sleeper(here).filter(|_| is_movable(task)) {
            idle.balance.was_given.store(true, Ordering::Relaxed);
            task.move_to(idle);
            return idle.post_plainly(task);
        }
    }
    here.ready.push(task);
}

/// The hub for a new task, before [`place`] has its say: the one with the fewest.
pub(crate) fn least_loaded() -> &'static Hub {
    all()
        .iter()
        .min_by_key(|h| h.load.load(Ordering::Relaxed))
        .expect("there are hubs while there are tasks")
}

impl Hub {
    /// The hub falls asleep: learns whether it need have been awake.
    pub(super) fn falls_asleep(&self) {
        SLEEPERS.fetch_add(1, Ordering::Relaxed);
        if all().len() == 1 {
            return;
        }
        let now = sys::now(libc::CLOCK_MONOTONIC);
        self.balance.slept_at.store(now, Ordering::Relaxed);
        if self.index == 0 {
            return;
        }
        let awoke = self.balance.awoke_at.load(Ordering::Relaxed);
        let first = &all()[0].balance;
        let first_awoke = first.awoke_at.load(Ordering::Relaxed);
        let first_slept = match first.slept_at.load(Ordering::Relaxed) {
            slept if slept < first_awoke => now,
            slept => slept,
        };
        let both = first_slept.saturating_sub(first_awoke.max(awoke));
        let awake = now - awoke;
        // To wake it cost more than it took off the first one.
        let need_not = awake < MOMENT && both < SOON;
        self.balance.count(need_not, now);
    }

    /// The hub is awake again.
    pub(super) fn awakes(&self) {
        SLEEPERS.fetch_sub(1, Ordering::Relaxed);
        if all().len() > 1 {
            let now = sys::now(libc::CLOCK_MONOTONIC);
            self.balance.awoke_at.store(now, Ordering::Relaxed);
        }
    }

    /// Where a task goes on whose wait has ended here, if this hub's tasks are gathered.
    #[inline]
    pub(super) fn gathers_at(&self) -> Option<&'static Hub> {
        if !self.balance.is_gathered() {
            return None;
        }
        all().first().copied().filter(|first| first.is_asleep())
    }

    /// Whether the task that runs here is expected to stop soon.
    fn stops_soon(&self) -> bool {
        // SAFETY: the task that runs belongs to this hub, whose thread this is; tasks' memory is never unmapped.
        let waker = unsafe { self.current.load(Ordering::Relaxed).as_ref() };
        self.balance.ending.get() || waker.is_some_and(|t| t.rests.get() >= SURE)
    }

    /// The task that runs is about to end: whom it wakes now may take its place.
    pub(crate) fn is_ending(&self) {
        self.balance.ending.set(true);
    }

    /// The task has ended.
    pub(super) fn has_ended(&self) {
        self.balance.ending.set(false);
        self.balance.woke_at.set(0);
    }

    /// Whether the task that runs has woken another of which there is something to be learnt.
    #[inline]
    pub(super) fn is_watching(&self) -> bool {
        self.balance.woke_at.get() != 0
    }

    /// The task leaves the CPU: learns from how long it ran on after it woke another.
    #[inline]
    pub(super) fn has_stopped(&self, task: &Task) {
        if self.is_watching() {
            self.learn(task);
        }
    }

    /// The task goes on after a call: if it has not stopped soon after all, whom it pulled goes to a hub that sleeps.
    #[inline]
    pub(super) fn goes_on(&'static self, task: &Task) {
        if self.is_watching() {
            self.look_back(task);
        }
    }

    #[cold]
    fn learn(&self, task: &Task) {
        let ran = sys::now(libc::CLOCK_MONOTONIC).saturating_sub(self.balance.woke_at.replace(0));
        let rests = task.rests.get();
        task.rests.set(if ran < SOON {
            (rests + 1).min(SURE)
        } else {
            DOUBT
        });
    }

    #[cold]
    fn look_back(&'static self, task: &Task) {
        let now = sys::now(libc::CLOCK_MONOTONIC);
        if now.saturating_sub(self.balance.woke_at.get()) >= SOON {
            self.balance.woke_at.set(0);
            task.rests.set(DOUBT);
            self.share(1);
        }
    }

    /// Gives part of the ready tasks to a hub that sleeps: half of those to run, counting the `running` one.
    pub(super) fn share(&'static self, running: usize) {
        let Some(idle) = sleeper(self) else { return };
        let mut seen: [Option<&'static Task>; GLANCE] = [None; GLANCE];
        let mut count = 0;
        while count < GLANCE {
            let Some(task) = self.ready.pop() else { break };
            seen[count] = Some(task);
            count += 1;
        }
        let mut give = (count + running) / 2;
        // From the back, so that what stays keeps its order at the front.
        for task in seen[..count].iter().rev().flatten() {
            // Taken out of the queue, it is this hub's to queue. A hint may have queued even the task that runs.
            if give != 0 && task.turn.is_down() && task.is_portable() {
                give -= 1;
                idle.balance.was_given.store(true, Ordering::Relaxed);
                task.move_to(idle);
                idle.enqueue(task);
            } else {
                self.ready.push_front(task);
            }
        }
    }
}
