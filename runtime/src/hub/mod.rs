//! Hubs: each one worker thread that runs tasks, one at a time, and waits for all of them when none is ready.
//!
//! A hub is a loop on a `may` coroutine, its *carrier*, one per `may` worker. It owns its ready queue, its timers and its epoll;
//! only its own thread touches these. Other threads reach it through its [`inbox`] and its `news`, and ring its bell (an eventfd)
//! if it sleeps. The epoll wait is the only place where a hub's thread blocks.
//!
//! Lock order (a thread that holds one may take those to its right): `Hub::news` → (none); a futex bucket → inbox;
//! `Task::signals` → inbox; the pool's queue → inbox. The inbox is lock-free.

pub(crate) mod balance;
mod bell;
pub(crate) mod cpu;
pub mod inbox;
pub(crate) mod lone;
pub(crate) mod readiness;
pub(crate) mod relief;
mod timers;
mod worker;
pub mod world;

pub(crate) use timers::Timer;
pub(crate) use worker::{all as workers, Worker};

use crate::context::Crossing;
use crate::future::Buffers;
use crate::sys::Errno;
use crate::syscalls::{self, brief, Outcome};
use crate::task::{self, lock, Task};
use crate::{config, signal, sys, trim};
use balance::Balance;
use inbox::{Inbox, Node};
use lone::Lone;
use readiness::Readiness;
use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::task::Poll;
use timers::Timers;

/// After how many task runs a busy hub looks at its inbox, timers and epoll.
const ROUND: usize = 64;

/// A hub.
#[derive(Debug)]
pub struct Hub {
    /// The hub's number, from 0.
    pub index: usize,
    /// The kernel's id of the hub's thread; 0 until it runs.
    pub tid: AtomicI32,
    /// The thread that runs the hub; null until it does.
    worker: AtomicPtr<Worker>,
    inbox: Inbox<Task>,
    ready: Ready,
    balance: Balance,
    pub(crate) timers: Timers,
    pub(crate) readiness: Readiness,
    buffers: Buffers,
    /// How many live tasks belong to the hub.
    pub(crate) load: AtomicUsize,
    /// The task that runs now.
    pub(crate) current: AtomicPtr<Task>,
    /// How many times the hub went to a task: the receiver sees whether it has been with the same one for long.
    pub(crate) switches: AtomicU64,
    /// Asks the task that runs to make room for others at its next crossing.
    pub(crate) make_room: AtomicBool,
    /// One that was asked had others behind it. The receiver takes this back.
    pub(crate) is_contended: AtomicBool,
    /// Set by the receiver every few milliseconds: the hub is to look at its timers and epoll before it runs more tasks.
    pub(crate) look_around: AtomicBool,
    bell: AtomicI32,
    news: Mutex<Vec<News>>,
    has_news: AtomicBool,
    /// Tasks that wait for any child process to change state.
    pub(crate) children: crate::syscalls::wait::Waiters,
    /// For accepts.
    pub(crate) ring: crate::uring::Ring,
    /// What a hub has that carries one task, for its life.
    pub(super) lone: Option<Lone>,
}

// SAFETY: what is not atomic or locked is touched by the hub's own thread only.
unsafe impl Sync for Hub {}
// SAFETY: as above; a hub is made by one thread and then used by its own.
unsafe impl Send for Hub {}

impl Node for Task {
    fn next(&self) -> &AtomicPtr<Self> {
        &self.next
    }
}

/// What other threads tell a hub, besides waking tasks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum News {
    /// A child process changed state.
    Child,
    /// The trap door is armed from now on.
    Arm,
    /// Something that epoll does not tell happened to this number, of this generation (closed, shut down): its waits must look again.
    LookAgain(i32, u32),
}

/// The ready queue: a list through the tasks' links.
#[derive(Debug, Default)]
struct Ready {
    first: Cell<Option<&'static Task>>,
    last: Cell<Option<&'static Task>>,
}

impl Ready {
    fn push(&self, task: &'static Task) {
        task.next.store(ptr::null_mut(), Ordering::Relaxed);
        match self.last.replace(Some(task)) {
            Some(last) => last
                .next
                .store(ptr::from_ref(task).cast_mut(), Ordering::Relaxed),
            None => self.first.set(Some(task)),
        }
    }

    fn push_front(&self, task: &'static Task) {
        let first = self.first.replace(Some(task));
        let link = first.map_or(ptr::null(), ptr::from_ref).cast_mut();
        task.next.store(link, Ordering::Relaxed);
        if first.is_none() {
            self.last.set(Some(task));
        }
    }

    fn pop(&self) -> Option<&'static Task> {
        let task = self.first.get()?;
        // SAFETY: links of queued tasks are null or point to queued tasks, and tasks' memory is never unmapped.
        let next = unsafe { task.next.load(Ordering::Relaxed).as_ref() };
        self.first.set(next);
        match next {
            None => self.last.set(None),
            Some(next) => {
                next.fetch_what_it_uses();
                // SAFETY: as above.
                let after = unsafe { next.next.load(Ordering::Relaxed).as_ref() };
                after.inspect(|after| after.fetch());
            }
        }
        Some(task)
    }

    fn is_empty(&self) -> bool {
        self.first.get().is_none()
    }
}

static CROSSING: OnceLock<Crossing> = OnceLock::new();
/// The hubs as a published slice, for readers that must not lock.
static PUBLISHED: AtomicPtr<&'static Hub> = AtomicPtr::new(ptr::null_mut());
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The crossing in use.
pub fn crossing() -> &'static Crossing {
    CROSSING
        .get()
        .expect("the shim gives the crossing before anything else")
}

/// Gives the crossing. Once a process; a forked child keeps it.
pub fn set_crossing(crossing: Crossing) {
    let _ = CROSSING.set(crossing);
}

/// All hubs.
pub fn all() -> &'static [&'static Hub] {
    let count = COUNT.load(Ordering::Acquire);
    if count == 0 {
        return &[];
    }
    // SAFETY: `publish` leaked a slice of this length before it stored the count.
    unsafe { std::slice::from_raw_parts(PUBLISHED.load(Ordering::Acquire), count) }
}

/// Makes the hubs, none of which runs yet.
pub fn make(count: usize) -> &'static [&'static Hub] {
    let hubs: Vec<&'static Hub> = (0..count)
        .map(|index| &*Box::leak(Box::new(Hub::new(index, None))))
        .collect();
    let leaked = Vec::leak(hubs);
    PUBLISHED.store(leaked.as_mut_ptr(), Ordering::Release);
    COUNT.store(leaked.len(), Ordering::Release);
    all()
}

/// Forgets the hubs, in a forked child: their threads do not exist.
pub(crate) fn forget_all() {
    COUNT.store(0, Ordering::Release);
    lone::forget_all();
    worker::forget_all();
    balance::forget_all();
    cpu::forget_all();
    relief::forget_all();
}

std::arch::global_asm!(
    r#"
    .section .tbss.coop_hub,"awT",@nobits
    .globl coop_hub
    .hidden coop_hub
    .type coop_hub,@object
    .size coop_hub,8
    .balign 8
coop_hub:
    .zero 8
    .text
"#
);

/// The hub whose thread this is, if it is one and the runtime runs. Two instructions: the library is loaded at start-up, so
/// its thread-locals are at a fixed offset from the thread pointer.
#[inline]
pub fn current() -> Option<&'static Hub> {
    let hub: *const Hub;
    // SAFETY: reads a thread-local word that holds null or a leaked hub.
    unsafe {
        std::arch::asm!(
            "mov {0}, qword ptr [rip + coop_hub@gottpoff]",
            "mov {0}, qword ptr fs:[{0}]",
            out(reg) hub, options(nostack, preserves_flags, readonly)
        );
        hub.as_ref()
    }
}

fn set_current(hub: Option<&'static Hub>) {
    let hub = hub.map_or(ptr::null(), ptr::from_ref);
    // SAFETY: writes this thread's own word.
    unsafe {
        std::arch::asm!(
            "mov {1}, qword ptr [rip + coop_hub@gottpoff]",
            "mov qword ptr fs:[{1}], {0}",
            in(reg) hub, out(reg) _, options(nostack, preserves_flags)
        );
    }
}

impl Hub {
    fn new(index: usize, lone: Option<Lone>) -> Self {
        Self {
            index,
            tid: AtomicI32::new(0),
            worker: AtomicPtr::new(ptr::null_mut()),
            inbox: Inbox::default(),
            ready: Ready::default(),
            balance: Balance::default(),
            timers: Timers::default(),
            readiness: Readiness::new(),
            buffers: Buffers::default(),
            load: AtomicUsize::new(0),
            current: AtomicPtr::new(ptr::null_mut()),
            switches: AtomicU64::new(0),
            make_room: AtomicBool::new(false),
            is_contended: AtomicBool::new(false),
            look_around: AtomicBool::new(false),
            bell: AtomicI32::new(-1),
            news: Mutex::new(Vec::new()),
            has_news: AtomicBool::new(false),
            children: crate::syscalls::wait::Waiters::default(),
            ring: crate::uring::Ring::default(),
            lone,
        }
    }

    pub(crate) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    /// Puts a task that the caller has claimed where the hub finds it.
    pub(crate) fn enqueue(&'static self, task: &'static Task) {
        if current().is_some_and(|h| ptr::eq(h, self)) {
            self.ready.push(task);
        } else {
            self.post(task);
        }
    }

    /// As [`Hub::enqueue`], for threads that are not the hub's.
    fn post(&'static self, task: &'static Task) {
        if self.inbox.push(task) {
            self.ring();
        }
    }

    /// The same, by a thread that has the runtime's descriptors: it asks for no thread-local.
    fn post_plainly(&self, task: &'static Task) {
        if self.inbox.push(task) {
            self.ring_here();
        }
    }

    /// Tells the hub something.
    pub(crate) fn tell(&'static self, news: News) {
        lock(&self.news).push(news);
        self.has_news.store(true, Ordering::SeqCst);
        if self.inbox.must_ring() {
            self.ring();
        }
    }

    /// Runs the hub on this thread, and then others that need one, for ever.
    pub fn run(&'static self) -> ! {
        let worker = Worker::enter();
        self.serve(worker);
        relief::stand_by(worker)
    }

    /// Runs the hub on this thread until it is taken from it.
    fn serve(&'static self, worker: &'static Worker) {
        self.adopt(worker);
        while self.round(worker) {
            self.wait(worker);
        }
    }

    /// Makes this thread the hub's.
    fn adopt(&'static self, worker: &'static Worker) {
        set_current(Some(self));
        let pointer = ptr::from_ref(worker).cast_mut();
        self.worker.store(pointer, Ordering::Release);
        self.tid.store(worker.tid(), Ordering::Release);
        let hub = ptr::from_ref(self).cast_mut();
        worker.hub.store(hub, Ordering::SeqCst);
        worker.taken.store(relief::HAS_HUB, Ordering::SeqCst);
    }

    /// The thread that runs the hub. Only while one does.
    pub(crate) fn worker(&self) -> &'static Worker {
        // SAFETY: workers are leaked.
        unsafe { self.worker.load(Ordering::Acquire).as_ref() }
            .expect("a hub that runs has a thread")
    }

    /// Runs ready tasks, a bounded number of them. False if the hub was taken from the thread.
    fn round(&'static self, worker: &'static Worker) -> bool {
        self.inbox.take(|task| self.ready.push(task));
        // After the inbox: who told news before he queued a task is heard before that task runs.
        if self.has_news.load(Ordering::SeqCst) {
            self.take_news();
        }
        for _ in 0..ROUND {
            let Some(task) = self.ready.pop() else { break };
            if !self.run_task(worker, task) {
                return false;
            }
            if self.look_around.load(Ordering::Relaxed) {
                self.look_around.store(false, Ordering::Relaxed);
                break;
            }
        }
        true
    }

    /// Looks at timers, news and epoll; blocks there if no task is ready.
    fn wait(&'static self, worker: &'static Worker) {
        self.timers.expire();
        if !self.ready.is_empty() {
            self.share(0);
            if self.readiness.waiting() != 0 {
                self.poll_epoll(0);
            }
            world::pause_point(worker);
            return;
        }
        let seen = self.lone.as_ref().map(Lone::rung);
        if !self.inbox.fall_asleep() {
            return;
        }
        if self.has_news.load(Ordering::SeqCst) {
            return self.inbox.wake_up();
        }
        if seen.is_none() {
            trim::all();
        }
        let timeout = match self.timers.next() {
            None => u64::MAX,
            Some(deadline) => deadline.saturating_sub(sys::now(libc::CLOCK_MONOTONIC)),
        };
        if let Some(seen) = seen {
            world::at_rest(worker, || self.wait_alone(seen, timeout));
            self.inbox.wake_up();
            if config::get().deadlock {
                signal::receiver::hub_awake();
            }
            return;
        }
        self.falls_asleep();
        world::at_rest(worker, || self.poll_epoll(timeout));
        self.awakes();
        self.inbox.wake_up();
        signal::receiver::hub_awake();
    }

    fn take_news(&'static self) {
        self.has_news.store(false, Ordering::SeqCst);
        let news = std::mem::take(&mut *lock(&self.news));
        for item in news {
            match item {
                News::Child => self.children.wake_all(),
                News::Arm => (crossing().arm_hub)(&self.worker().gate),
                News::LookAgain(fd, generation) => self.readiness.look_again(fd, generation),
            }
        }
    }

    /// Waits for events, at most `timeout` ns (`u64::MAX`: for ever), and wakes their tasks.
    fn poll_epoll(&'static self, timeout: u64) {
        const BATCH: usize = 256;
        let mut events = [const { MaybeUninit::<libc::epoll_event>::uninit() }; BATCH];
        let spec = libc::timespec {
            tv_sec: (timeout / 1_000_000_000) as i64,
            tv_nsec: (timeout % 1_000_000_000) as i64,
        };
        let spec = if timeout == u64::MAX {
            ptr::null()
        } else {
            ptr::from_ref(&spec)
        };
        let epoll = self.readiness.epoll();
        // SAFETY: the buffer holds BATCH events, the timeout is valid or null.
        let mut found = unsafe {
            sys!(
                SYS_epoll_pwait2,
                epoll,
                events.as_mut_ptr(),
                BATCH,
                spec,
                0,
                0
            )
        };
        // EPERM: a container's filter that does not know the call.
        if matches!(found, Err(sys::Errno(libc::ENOSYS | libc::EPERM))) {
            // Before Linux 5.11: milliseconds, rounded up so as not to wake too early and spin.
            let ms = if timeout == u64::MAX {
                -1
            } else {
                i32::try_from(timeout.div_ceil(1_000_000)).unwrap_or(i32::MAX)
            };
            // SAFETY: as above.
            found = unsafe { sys!(SYS_epoll_wait, epoll, events.as_mut_ptr(), BATCH, ms) };
        }
        let found = match found {
            Ok(found) => found,
            // The descriptor is gone, or another file has its number: nobody would be woken any more.
            Err(e @ sys::Errno(libc::EBADF | libc::EINVAL)) => {
                crate::log::complain(format_args!(
                    "cannot go on: {e} from a hub's epoll descriptor, which a process that shares the table of descriptors must have closed"
                ));
                crate::signal::die(libc::SIGABRT)
            }
            Err(_) => 0,
        };
        for event in &events[..found] {
            // SAFETY: the kernel has filled so many.
            let event = unsafe { event.assume_init() };
            // The bell is edge-triggered and its count is of no interest: nothing to read, what it rang for is looked at next.
            if event.u64 != readiness::BELL {
                self.readiness.event(event.u64, event.events);
            }
        }
    }

    /// Runs a task that was taken out of a queue, until it parks, ends or makes room. False if the hub was taken from the thread
    /// meanwhile: it must not touch it then.
    fn run_task(&'static self, worker: &'static Worker, task: &'static Task) -> bool {
        if relief::is_away(task) {
            return true;
        }
        if let Some(own) = task.bound.take() {
            // Taken out of the queue, it is this hub's to queue; and whoever put it there saw it down.
            task.move_to(own);
            own.enqueue(task);
            return true;
        }
        task.turn.begin();
        if !task.live.load(Ordering::Relaxed) {
            // It ended while a late hint kept it in the queue.
            task.release();
            if let Some(lone) = &self.lone {
                lone.released();
            }
            return true;
        }
        self.current
            .store(ptr::from_ref(task).cast_mut(), Ordering::Relaxed);
        self.switches
            .store(self.switches.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        // A task that crossed on another thread has its call in its registers.
        let mut crossed = task.crossed.take();
        if crossed && self.is_lone() {
            Self::name_thread(task);
        }
        let mut outcome = None;
        if let Some(parked) = task.parked.get() {
            let Poll::Ready(result) = parked.poll() else {
                cpu::turn_ends(worker, Some(task));
                task.turn.put_down();
                return true;
            };
            task.parked.set(None);
            parked.finish(self);
            if result == Err(Errno::IN_LINE) {
                outcome = Some(Outcome::InLine);
            } else {
                syscalls::complete(task, result);
                if let Some(first) = self.gathers_at() {
                    cpu::turn_ends(worker, Some(task));
                    self.send_off(task, first);
                    return true;
                }
            }
        }
        worker.load_state(task);
        loop {
            if outcome.is_none()
                && !crossed
                && (!task.signalled.load(Ordering::Acquire)
                    || signal::deliver(task) == signal::Next::Go)
            {
                worker.go(task);
                world::pause_point(worker);
                if !worker.has_hub() {
                    worker.hand_over_crossed(task);
                    return false;
                }
            }
            crossed = false;
            let outcome = outcome.take();
            match outcome.unwrap_or_else(|| syscalls::dispatch(self, task)) {
                Outcome::Resume => {}
                Outcome::InLine => {
                    let Some(result) = worker.call_in_line(task) else {
                        return false;
                    };
                    syscalls::complete(task, result);
                }
                Outcome::Brief => {
                    let number = syscalls::Call::of(task).number;
                    let made = brief::timed(number, || worker.call_in_line(task));
                    let Some(result) = made else {
                        return false;
                    };
                    syscalls::complete(task, result);
                }
                // Struck for a signal's sake: it is given here and now.
                Outcome::Preempted
                    if task.signalled.load(Ordering::Acquire)
                        && !self.make_room.load(Ordering::Relaxed) => {}
                Outcome::Preempted => {
                    self.take_off(worker, task);
                    self.make_room_for_others(task);
                    return true;
                }
                Outcome::Parked => {
                    self.take_off(worker, task);
                    task.turn.put_down();
                    return true;
                }
                Outcome::Yield => {
                    self.take_off(worker, task);
                    self.yield_task(task);
                    return true;
                }
                // Its call is still to be answered: there. A hint may have it queued here already; it goes when it is taken out.
                Outcome::Apart => {
                    self.take_off(worker, task);
                    task.crossed.set(true);
                    self.yield_task(task);
                    return true;
                }
                // Not put down: its slot may be another task's by now.
                Outcome::Ended => {
                    self.has_ended();
                    cpu::turn_ends(worker, None);
                    worker.forget_state();
                    if let Some(lone) = &self.lone {
                        lone.has_ended();
                    }
                    return true;
                }
            }
            // With the thread's only frame in its hands it goes on first.
            if self.make_room.load(Ordering::Relaxed) && worker.has_spare_frame() {
                self.take_off(worker, task);
                self.make_room_for_others(task);
                return true;
            }
            self.goes_on(task);
        }
    }

    /// Puts a task that had its share behind all who could run now: those whose timers or descriptors are due, too.
    fn make_room_for_others(&'static self, task: &'static Task) {
        self.make_room.store(false, Ordering::Relaxed);
        self.timers.expire();
        if self.readiness.waiting() != 0 {
            self.poll_epoll(0);
        }
        if !self.ready.is_empty() {
            self.is_contended.store(true, Ordering::Relaxed);
        }
        self.yield_task(task);
        self.share(0);
    }

    /// Puts a task that could go on behind the others.
    fn yield_task(&'static self, task: &'static Task) {
        task.turn.put_down();
        if task.turn.claim() {
            // Behind those that have come in meanwhile, too: else two tasks that yield to each other starve them.
            self.inbox.take(|t| self.ready.push(t));
            self.ready.push(task);
        }
    }

    /// Puts a task that could go on where another hub finds it.
    fn send_off(&'static self, task: &'static Task, to: &'static Hub) {
        task.turn.put_down();
        if task.turn.claim() {
            task.move_to(to);
            to.enqueue(task);
        }
    }

    /// Whether there is something to see to before this task, which runs here, goes on.
    #[inline]
    pub(crate) fn has_business_with(&self, task: &Task) -> bool {
        task.signalled.load(Ordering::Acquire)
            || self.make_room.load(Ordering::Relaxed)
            || self.is_watching()
    }

    /// Whether the hub waits in the kernel, or is about to.
    pub(crate) fn is_asleep(&self) -> bool {
        self.inbox.is_asleep()
    }

    /// Keeps what the task leaves on the CPU.
    fn take_off(&self, worker: &Worker, task: &'static Task) {
        self.has_stopped(task);
        cpu::turn_ends(worker, Some(task));
        worker.store_state(task);
    }
}

/// Arms the trap door on all hubs. On the calling one at once, for its task may run what needs it next; a task that hands such code to
/// another hub's does so by a wake-up, which that hub takes after this news.
pub fn arm_all() {
    let arm = |hub: &'static Hub| {
        if current().is_some_and(|h| ptr::eq(h, hub)) {
            (crossing().arm_hub)(&hub.worker().gate);
        } else {
            hub.tell(News::Arm);
        }
    };
    all().iter().copied().for_each(arm);
    lone::all().for_each(arm);
}

/// Something that epoll does not tell happened to a number, of this generation: the waits on it look again.
pub(crate) fn look_again(fd: i32, generation: u32) {
    let news = News::LookAgain(fd, generation);
    all().iter().for_each(|hub| hub.tell(news));
    lone::all()
        .filter(|hub| hub.bell.load(Ordering::Acquire) >= 0)
        .for_each(|hub| hub.tell(news));
}

/// Wakes tasks on all hubs that wait for children.
pub(crate) fn child_changed() {
    crate::syscalls::wait::look_for_stopped();
    for hub in all() {
        hub.tell(News::Child);
    }
}

/// The tasks that have their turns now, on whichever hub: over many calls each hub's comes first as often.
pub(crate) fn at_work() -> impl Iterator<Item = &'static Task> {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    /// By the golden ratio: even also for who takes each second one of them.
    const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
    let hubs = all();
    let point = CALLS.fetch_add(STEP, Ordering::Relaxed) >> 32;
    let first = (point as usize * hubs.len()) >> 32;
    let (before, after) = hubs.split_at(first);
    let hubs = after.iter().chain(before).copied().chain(lone::all());
    hubs.filter(|h| !h.is_asleep()).filter_map(|h| {
        // SAFETY: null, or a task, whose memory is never unmapped.
        unsafe { h.current.load(Ordering::Acquire).as_ref() }
    })
}

/// The number of live tasks, as text for the dump and the log.
pub fn summary() -> String {
    let loads: Vec<String> = all()
        .iter()
        .map(|h| h.load.load(Ordering::Relaxed).to_string())
        .collect();
    let own = match lone::all().count() {
        0 => String::new(),
        n => format!(", {n} of them on threads of their own"),
    };
    format!(
        "{} tasks on {} hubs ({}){own}",
        task::alive(),
        loads.len(),
        loads.join(", ")
    )
}
