//! Relief: a hub whose thread is stuck in the kernel goes on on another thread.
//!
//! The receiver sees that a hub has made no progress and that its thread is inside the kernel, blocked or at work for longer than a slice,
//! and outside the runtime: in a call that
//! its task made behind the doors or in the crossing, in one that the hub made for it in line ([`Worker::call_in_line`]), or in a page fault. It
//! takes the hub from that worker and offers it to a spare one. The stuck worker keeps the task, which is *away* from then on: its
//! runtime frames stay on the thread where they are, and it is the hub that moves. When the task crosses again, or its call ends, the
//! worker finds that it has no hub any more, hands the task over through the hub's inbox, and is a spare one itself.
//!
//! Who decides. A worker leaves the runtime by a plain store (`in_program = 1`) and comes back by a plain store of 0 and then a look at
//! [`Worker::taken`]. The receiver stores [`ASKED`] there, puts a barrier on all threads, and looks at `in_program`: 1 means that the
//! worker will see what is decided, so the receiver may take the hub. Whoever finds `ASKED` waits for the decision.
//!
//! Who owns an away task: the stuck worker. Nobody else may queue it meanwhile ([`crate::away`] says how that is seen to), so wakes come to
//! nothing, and signals are passed on as [`signal::KICK`], which ends an interruptible call.

use super::worker::{self, Worker};
use super::{all, cpu, set_current, world, Hub};
use crate::signal;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::syscalls::{self, table};
use crate::task::{lock, Task};
use crate::{heap, places, thread};
use std::collections::VecDeque;
use std::ptr;
use std::sync::atomic::{fence, AtomicU32, Ordering};
use std::sync::Mutex;

/// In [`Worker::taken`]: the worker has its hub.
pub(super) const HAS_HUB: u32 = 0;
/// The receiver is about to decide.
const ASKED: u32 = 1;
/// The hub is somebody else's.
const TAKEN: u32 = 2;

/// Stack of a spare worker: as a carrier's, for the same code.
const STACK: usize = 256 << 10;

/// Hubs without a thread, and how many spare workers wait for one.
struct Spares {
    hubs: VecDeque<&'static Hub>,
    idle: usize,
}

static SPARES: Mutex<Spares> = Mutex::new(Spares {
    hubs: VecDeque::new(),
    idle: 0,
});
/// Changes with every hub that a spare worker should look for: a futex word.
static WORK: AtomicU32 = AtomicU32::new(0);

impl Worker {
    /// Whether the worker still has its hub, after it was outside the runtime.
    #[inline]
    pub(super) fn has_hub(&self) -> bool {
        self.taken.load(Ordering::SeqCst) == HAS_HUB || self.decided() == HAS_HUB
    }

    /// Whether a call may be answered right where its task has crossed: nobody wants this thread or its hub.
    #[inline]
    pub(crate) fn may_answer(&self) -> bool {
        !world::is_stopping() && self.taken.load(Ordering::SeqCst) == HAS_HUB
    }

    #[cold]
    fn decided(&self) -> u32 {
        loop {
            match self.taken.load(Ordering::SeqCst) {
                ASKED => sys::futex_wait(&self.taken, ASKED),
                decision => return decision,
            }
        }
    }

    fn decide(&self, decision: u32) {
        self.taken.store(decision, Ordering::SeqCst);
        sys::futex_wake(&self.taken, i32::MAX);
    }

    /// Makes the task's call as it is, on this thread, where the hub can be relieved of it. `None`: it was, and the task was handed over.
    pub(super) fn call_in_line(&self, task: &'static Task) -> Option<SysResult> {
        let call = syscalls::Call::of(task);
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        task.call_number.set(call.number as i32);
        loop {
            let result = self.outside(|| call.raw_interruptible());
            signal::forward_caused(task, result);
            let has_hub = self.has_hub();
            if has_hub {
                task.hub().heed();
            }
            let result = match result {
                // A handler may restart it.
                Err(Errno::INTR) if signal::interrupts(task) => Err(Errno::RESTART_SYS),
                // A kick that was for the task's program code, to preempt it, found the call instead, perhaps after the hub was taken.
                Err(Errno::INTR) => continue,
                result => result,
            };
            if has_hub {
                return Some(result);
            }
            syscalls::complete(task, result);
            self.hand_over(task);
            return None;
        }
    }

    /// The task crossed, and the hub is somebody else's.
    #[cold]
    pub(super) fn hand_over_crossed(&self, task: &'static Task) {
        // Frames are in the thread's hands.
        match syscalls::Call::of(task).number {
            signal::preempt::PREEMPTED => {
                signal::preempt::keep(task, self);
            }
            signal::fault::FAULTED => {
                signal::fault::faulted(task, self);
            }
            _ => task.crossed.set(true),
        }
        self.hand_over(task);
    }

    /// Gives an away task back to its hub. It is not touched after that.
    fn hand_over(&self, task: &'static Task) {
        set_current(None);
        let ms =
            (sys::now(libc::CLOCK_MONOTONIC) - self.away_since.load(Ordering::Relaxed)) / 1_000_000;
        tracing::info!("task {} is back after {ms} ms", task.id());
        self.store_state(task);
        // Also if nobody has asked: who looks at hubs has not seen this thread since.
        cpu::turn_ended(self, Some(task));
        task.call.store(-1, Ordering::Relaxed);
        task.turn.put_down();
        if task.away.come_back() {
            task.hub().enqueue(task);
        }
    }
}

/// Whether a task that was taken out of a queue is away. Then its worker has got the claim, and sees to the rest.
#[inline]
pub(super) fn is_away(task: &'static Task) -> bool {
    let passed = task.away.pass_claim();
    if passed {
        signalled(task);
    }
    passed
}

/// A task got a signal and was woken: if it is away, its thread is told.
#[inline]
pub(crate) fn signalled(task: &'static Task) {
    fence(Ordering::SeqCst);
    // SAFETY: null, or a worker, which is never freed.
    if let Some(worker) = unsafe { (task.away.worker() as *const Worker).as_ref() } {
        if signal::would_interrupt(task) {
            signal::preempt::send(worker);
        }
    }
}

/// Takes a hub from its worker, which is stuck, if it still is where `switches` says, and sees to it that another one takes it.
/// Called by the receiver, inside its section.
fn relieve(hub: &'static Hub, switches: u64) -> Option<&'static Task> {
    let worker = hub.worker();
    if worker.gate.in_program.load(Ordering::SeqCst) == 0
        || worker.taken.load(Ordering::SeqCst) != HAS_HUB
        || !spare_worker()
    {
        return None;
    }
    worker.taken.store(ASKED, Ordering::SeqCst);
    world::barrier();
    // A hub that nobody has taken over yet still names the worker that lost it, which may have another one by now.
    let outside = worker.gate.in_program.load(Ordering::SeqCst) == 1
        && ptr::eq(worker.hub.load(Ordering::SeqCst), hub);
    // SAFETY: tasks' memory is never unmapped.
    let task = unsafe { hub.current.load(Ordering::SeqCst).as_ref() };
    let (Some(task), true) = (
        task,
        outside && hub.switches.load(Ordering::SeqCst) == switches,
    ) else {
        worker.decide(HAS_HUB);
        return None;
    };
    let slice = u64::from(crate::config::get().slice) * 1_000_000;
    let since = sys::now(libc::CLOCK_MONOTONIC) - slice;
    worker.away_since.store(since, Ordering::Relaxed);
    let claimed = task.turn.claim();
    task.away.go_away(ptr::from_ref(worker) as usize, claimed);
    worker.decide(TAKEN);
    // A signal may have come just before.
    signalled(task);
    lock(&SPARES).hubs.push_back(hub);
    WORK.fetch_add(1, Ordering::SeqCst);
    sys::futex_wake(&WORK, 1);
    Some(task)
}

/// Sees to it that there is an idle worker. False if there can be none.
fn spare_worker() -> bool {
    {
        let mut spares = lock(&SPARES);
        if spares.idle > spares.hubs.len() {
            return true;
        }
        if worker::count() >= worker::MAX || heap::is_scarce() {
            return false;
        }
        // Counted before it runs: the next hub needs one more.
        spares.idle += 1;
    }
    let spawned = thread::spawn_with(STACK, || {
        let inside = world::Section::enter();
        let worker = Worker::enter();
        drop(inside);
        stand_by(worker)
    });
    if spawned.is_err() {
        lock(&SPARES).idle -= 1;
    }
    spawned.is_ok()
}

/// Runs one hub after the other, as long as each is the worker's. The worker has been counted as idle.
pub(super) fn stand_by(worker: &'static Worker) -> ! {
    loop {
        world::pause_point(worker);
        let seen = WORK.load(Ordering::SeqCst);
        let hub = {
            let mut spares = lock(&SPARES);
            let hub = spares.hubs.pop_front();
            spares.idle -= usize::from(hub.is_some());
            hub
        };
        match hub {
            Some(hub) => {
                hub.serve(worker);
                lock(&SPARES).idle += 1;
            }
            None => world::at_rest(worker, || sys::futex_wait(&WORK, seen)),
        }
    }
}

/// What the receiver knows of a hub from its last look.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watch {
    /// How often the hub had switched.
    pub(crate) switches: u64,
    /// For how many looks its thread has been blocked in the kernel.
    blocked: u32,
    /// What its thread had used of the CPU when it was first kicked without effect (ns); 0: it was not.
    kicked_at: u64,
    /// How often it was tried to relieve it.
    tries: u32,
    /// It was.
    done: bool,
}

impl Watch {
    /// The hub is where it was at the last look. True if its task may be preempted by a kick.
    ///
    /// One that is blocked is left alone the first time, as a kick would interrupt what it waits for, and relieved the second. One that
    /// has used the CPU for a whole slice since it was kicked is inside the kernel as well, at work there.
    pub(crate) fn at_work(&mut self, hub: &'static Hub) -> bool {
        let worker = hub.worker();
        if let Some(blocked) = worker.blocked() {
            self.blocked += 1;
            if self.blocked >= 2 && !self.done {
                self.relieve(hub, Some(blocked));
            }
            return false;
        }
        self.blocked = 0;
        if worker.gate.in_program.load(Ordering::Relaxed) != 0 {
            let used = worker.cpu_time();
            let slice = u64::from(crate::config::get().slice) * 1_000_000;
            if self.kicked_at == 0 {
                self.kicked_at = used.max(1);
            } else if used > self.kicked_at + slice && !self.done {
                self.relieve(hub, None);
                return !self.done;
            }
        }
        !self.done
    }

    /// Whether the hub's thread was blocked in the kernel at the last look, and still has its hub.
    pub(crate) fn is_blocked(&self) -> bool {
        self.blocked != 0 && !self.done
    }

    /// Relieves the hub, or tries again at the next look: there may be no thread to be had now, or the runtime itself is in the call.
    fn relieve(&mut self, hub: &'static Hub, blocked: Option<worker::Blocked>) {
        /// After so many looks in vain it is reported that the hub's tasks wait.
        const IN_VAIN: u32 = 4;
        let task = relieve(hub, self.switches);
        self.done = task.is_some();
        self.tries += 1;
        if self.done || self.tries == IN_VAIN {
            report(hub, task, blocked);
        }
    }

    /// The hub has gone on since the last look.
    pub(crate) fn moved(&mut self, switches: u64) {
        *self = Self {
            switches,
            ..Self::default()
        };
    }
}

/// Says once per call site that a call held up a hub.
fn report(hub: &Hub, relieved: Option<&'static Task>, blocked: Option<worker::Blocked>) {
    static SEEN: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    const MOST: usize = 1024;
    // SAFETY: tasks' memory is never unmapped.
    let Some(task) = relieved.or(unsafe { hub.current.load(Ordering::Relaxed).as_ref() }) else {
        return;
    };
    // SAFETY: reads words that nobody writes while the thread is stuck; a torn value only misnames a place.
    let regs = unsafe { (*task.ctx.get()).regs };
    // At work in the kernel, only the task's registers can tell in what.
    let blocked = blocked.unwrap_or(worker::Blocked {
        call: i32::try_from(regs.rax).unwrap_or(-1),
        sp: regs.rsp as usize,
        pc: regs.rip as usize,
    });
    if relieved.is_some() {
        task.call.store(blocked.call, Ordering::Relaxed);
    }
    if !tracing::enabled!(tracing::Level::WARN) {
        return;
    }
    // In the library's own code the task's registers say where the program called. Which stack that is on depends on who made the call.
    let pc = if (super::crossing().in_library)(blocked.pc) {
        regs.rip as usize
    } else {
        blocked.pc
    };
    let pc = (super::crossing().original)(pc).unwrap_or(pc);
    let site = places::caller(pc, &[blocked.sp, regs.rsp as usize]);
    {
        let mut seen = lock(&SEEN);
        if seen.contains(&site) || seen.len() == MOST {
            return;
        }
        seen.push(site);
    }
    let what = match blocked.call {
        -1 => "a page fault",
        call => table::name(call),
    };
    let then = if relieved.is_some() {
        "its other tasks go on on another thread"
    } else {
        "its other tasks wait"
    };
    tracing::warn!(
        "task {} ({}) holds hub {} in {what} for over {} ms, called at {}; {then}",
        task.id(),
        task.name_text(),
        hub.index,
        crate::config::get().slice,
        places::Place::of(site),
    );
}

/// In a forked child: no spare workers.
pub(super) fn forget_all() {
    *lock(&SPARES) = Spares {
        hubs: VecDeque::new(),
        idle: 0,
    };
    debug_assert!(all().is_empty());
}
