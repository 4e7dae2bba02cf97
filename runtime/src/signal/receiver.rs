//! The receiver: the process's first OS thread, which hears of the process's signals and watches the hubs.
//!
//! It takes no signals: a signalfd of its own, which is never read, tells it that some came, and it tells tasks ([`shared`]). Only what the
//! kernel has for this very thread it takes out: signals that were handed on to it, and what is [`shared::reserved`]. While some hub is at work,
//! it looks twice a slice (`COOP_SLICE`) whether one of them has been with the same task all the time, and asks that task to make room.
//! While all hubs sleep it sleeps as well: an idle process uses no CPU.

use super::{bit, shared, KICK};
use crate::errand;
use crate::everywhere;
use crate::hub::lone;
use crate::hub::relief::Watch;
use crate::hub::{self, cpu, world::Section, Hub};
use crate::own;
use crate::status;
use crate::sys;
use crate::sys::Errno;
use crate::syscalls::{time::timespec, timer};
use crate::task;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::Mutex;

/// How often the hubs are looked at, in ns: twice a slice, whatever else there is to do. A task that was there at two looks has had its hub for half
/// a slice at least and a whole one at most, and makes room. (For twice that, if nobody had to make room for others lately: see [`leeway`].)
fn tick() -> u64 {
    u64::from(crate::config::get().slice) * 1_000_000 / 2
}

/// How much later a look may be, in ns, while those before it were in vain. So the kernel makes it at the next tick of a CPU, and needs no interrupt of its own
/// for it, on a CPU that others use or that would sleep: beside an event loop 200 of these a second cost its client a seventh of its speed.
fn leeway() -> u64 {
    tick() / 5 * 4
}

/// So many looks in a row are in vain before the next may be late.
const IN_VAIN: u32 = 4;

/// The receiver's kernel thread id; 0 while there is none.
static TID: AtomicI32 = AtomicI32::new(0);
/// True while the receiver sleeps without a time limit.
static RESTING: AtomicBool = AtomicBool::new(false);
/// What it waits at, and its bell in there: an eventfd.
static EPOLL: AtomicI32 = AtomicI32::new(-1);
static BELL: AtomicI32 = AtomicI32::new(-1);

/// In epoll's data: some signal came.
const SIGNALS: u64 = 1;

/// Opens the receiver's descriptors, on the thread that will be it. Before anything has changed, so that failure can still be reported.
pub(crate) fn open() -> Result<(), Errno> {
    super::lend::look_at_descriptors();
    let all = !0u64;
    // SAFETY: makes descriptors; the set and the events are valid.
    unsafe {
        let epoll = own::make(|| sys!(SYS_epoll_create1, libc::EPOLL_CLOEXEC))?;
        let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
        let signals = own::make(|| sys!(SYS_signalfd4, -1i32, &all, 8, flags))?;
        let flags = libc::EFD_CLOEXEC | libc::EFD_NONBLOCK;
        let bell = own::make(|| sys!(SYS_eventfd2, 0, flags))?;
        for (fd, data) in [(signals, SIGNALS), (bell, 0)] {
            // Edges: a signal that nobody takes now must not keep the receiver awake.
            let mut event = libc::epoll_event {
                events: (libc::EPOLLIN | libc::EPOLLET) as u32,
                u64: data,
            };
            sys!(SYS_epoll_ctl, epoll, libc::EPOLL_CTL_ADD, fd, &mut event)?;
        }
        status::open();
        BELL.store(bell, Ordering::Release);
        EPOLL.store(epoll, Ordering::Release);
    }
    Ok(())
}

/// Tells the receiver that a hub is at work again. Called by hubs that wake up; costs a load but for the first.
#[inline]
pub(crate) fn hub_awake() {
    if RESTING.load(Ordering::Relaxed) && RESTING.swap(false, Ordering::SeqCst) {
        ring();
    }
}

/// Hubs that a thread with descriptors of its own could not ring, and whether there are any.
static RING_FOR: Mutex<Vec<&'static Hub>> = Mutex::new(Vec::new());
static ANY_TO_RING: AtomicBool = AtomicBool::new(false);

/// Has the receiver ring a hub's bell.
#[cold]
pub(crate) fn ring_for(hub: &'static Hub) {
    task::lock(&RING_FOR).push(hub);
    ANY_TO_RING.store(true, Ordering::Release);
    ring();
}

/// In a forked child that begins anew: nobody is to be rung.
pub(super) fn reset() {
    task::lock(&RING_FOR).clear();
}

fn ring_for_others() {
    if ANY_TO_RING.swap(false, Ordering::Acquire) {
        let hubs = std::mem::take(&mut *task::lock(&RING_FOR));
        hubs.into_iter().for_each(Hub::ring_here);
    }
}

/// Wakes the receiver, whatever it is at.
pub(crate) fn ring() {
    if hub::current().is_some_and(Hub::has_own_files) {
        // A signal for the receiver alone: its signalfd tells of it.
        return super::kick_thread(tid());
    }
    let one = 1u64;
    // SAFETY: writes eight bytes to the receiver's eventfd.
    let _ = unsafe { sys!(SYS_write, BELL.load(Ordering::Acquire), &one, 8) };
}

/// The receiver's kernel thread id.
pub(crate) fn tid() -> i32 {
    TID.load(Ordering::Relaxed)
}

/// Says that the calling thread will be the receiver, before anybody can have something for it.
pub fn announce() {
    TID.store(sys::thread_id(), Ordering::Release);
}

/// Hands to the main task what was pending for its thread, which becomes the receiver.
pub(crate) fn hand_over_pending() {
    // All: those of faults that somebody sent are handed on to here (one of this thread's own ends the process), by a signal that libc
    // leaves unblocked.
    super::set_kernel_mask(!0);
    loop {
        match status::pending_for_receiver() & !shared::reserved() {
            0 => return,
            own => take_own(own),
        }
    }
}

/// What the calling thread was before it is the main task's from now on. Before that runs: it may unmap its alternate stack, and signals
/// that hubs hand on to here must wait, [`RELAY`](super::RELAY) too, which libc leaves unblocked in whoever has made a thread.
pub fn take_over_thread() {
    // Faults' signals, too: those that somebody sent are handed on to here. A fault of this thread's own ends the process.
    super::set_kernel_mask(!0);
    let no_stack = libc::stack_t {
        ss_sp: std::ptr::null_mut(),
        ss_flags: libc::SS_DISABLE,
        ss_size: 0,
    };
    // SAFETY: the struct is valid.
    let _ = unsafe { sys!(SYS_sigaltstack, &no_stack, 0) };
}

/// Runs on the process's first OS thread from conversion on.
pub fn run() -> ! {
    everywhere::register_unless_known(tid());
    let mut seen = Vec::new();
    let mut idle_looks = 0;
    let mut looks_in_vain = 0;
    let mut unanswered = 0;
    let mut next_look = now() + tick();
    loop {
        // Only here, so that a signal that comes before the wait ends it. Else it is handled, whatever this thread waits for.
        super::set_kernel_mask(!0);
        let rest = idle_looks > 2 && unanswered == 0;
        if rest {
            RESTING.store(true, Ordering::SeqCst);
        }
        let may_sleep = rest && all_asleep() && !lone::is_insisted() && !timer::watches_lone();
        // With orders blocked nobody may be waited for: who stops the world may be waiting for who gives one.
        let inside = may_sleep.then(Section::try_enter).flatten();
        let sleeps = inside.is_some();
        if sleeps {
            crate::deadlock::look();
        }
        drop(inside);
        let left = (!sleeps).then(|| next_look.saturating_sub(now()));
        let leeway = (looks_in_vain == IN_VAIN).then(leeway);
        let signals = wait(left, leeway);
        if sleeps {
            next_look = now() + tick();
        }
        RESTING.store(false, Ordering::Relaxed);
        everywhere::answer();
        super::set_kernel_mask(!bit(KICK));
        let _inside = Section::enter();
        ring_for_others();
        errand::run();
        super::fault::hold_untold();
        if signals || unanswered != 0 {
            unanswered = look(unanswered);
        }
        if !all_asleep() {
            idle_looks = 0;
        }
        if now() >= next_look {
            next_look = now() + tick();
            lone::insist();
            cpu::look_around();
            timer::look_around();
            let is_of_use = is_contended() | watch(&mut seen) | timer::is_watched();
            looks_in_vain = if is_of_use {
                0
            } else {
                (looks_in_vain + 1).min(IN_VAIN)
            };
            idle_looks += 1;
        }
    }
}

fn now() -> u64 {
    sys::now(libc::CLOCK_MONOTONIC)
}

/// Sets the timer slack of this thread, in ns, and gives the one before.
fn with_slack(slack: u64) -> u64 {
    // SAFETY: take no pointers.
    unsafe {
        let before = sys!(SYS_prctl, libc::PR_GET_TIMERSLACK, 0, 0, 0, 0);
        let _ = sys!(SYS_prctl, libc::PR_SET_TIMERSLACK, slack, 0, 0, 0);
        before.map_or(0, |ns| ns as u64)
    }
}

/// Waits for signals or the bell, not longer than a time in ns, and may then be late by another. Gives whether signals came.
fn wait(limit: Option<u64>, leeway: Option<u64>) -> bool {
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 2];
    let at = events.as_mut_ptr();
    let epoll = EPOLL.load(Ordering::Acquire);
    let limit = limit.map(timespec);
    let timeout = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let slack = leeway.map(with_slack);
    // SAFETY: the buffer holds two events, the time-out is valid or null.
    let mut found = unsafe { sys!(SYS_epoll_pwait2, epoll, at, 2, timeout, 0, 0) };
    // Threads that this one makes would have it, too.
    slack.map(with_slack);
    if found == Err(Errno(libc::ENOSYS)) {
        // Not longer than a look apart.
        #[allow(clippy::cast_possible_truncation)]
        let ms = limit.map_or(-1, |t| (t.tv_nsec / 1_000_000).max(1) as i32);
        // SAFETY: as above.
        found = unsafe { sys!(SYS_epoll_wait, epoll, at, 2, ms) };
    }
    let found = &events[..found.unwrap_or(0)];
    found.iter().any(|e| e.u64 == SIGNALS)
}

/// Looks at all signals that are pending. `before`: those for which a task was told last time, and which were still there. Gives those of now.
fn look(before: u64) -> u64 {
    let dump = crate::config::get().dump_signal;
    while let Some(info) = shared::take_from_kernel(shared::reserved()) {
        // A kick that was for this thread has done what it was for.
        if info.is_kick() {
            continue;
        }
        match timer::relayed(super::fault::as_sent(info)) {
            Some(info) if info.signal == dump => crate::dump::write(),
            Some(info) => shared::hold(info),
            None => {}
        }
    }
    shared::consider_all();
    let left = shared::takeable();
    if before & left != 0 {
        take_own(before & left);
    }
    left
}

/// Signals that nobody took who was told of them may be pending for this very thread, where no hub finds them: somebody sent them to
/// the main *thread* by the process's id (tgkill(2) from another process, a timer made before the conversion).
fn take_own(signals: u64) {
    let own = status::pending_for_receiver() & signals;
    for signal in (1..=64).filter(|s| own & bit(*s) != 0) {
        if let Some(info) = shared::take_from_kernel(bit(signal)) {
            match task::main() {
                Some(main) => drop(super::post_to(main, main.id(), info)),
                None => shared::hold(info),
            }
        }
    }
}

/// Whether a task that was asked to make room had somebody behind it since this was last asked.
fn is_contended() -> bool {
    let asked = |hub: &&Hub| hub.is_contended.swap(false, Ordering::Relaxed);
    hub::all().iter().filter(|h| asked(h)).count() != 0
}

fn all_asleep() -> bool {
    hub::all().iter().all(|h| h.is_asleep())
}

/// Asks tasks that have run since the last look, or that keep a due timer waiting, to make room. A hub whose thread is stuck in the kernel
/// is given to another. Gives whether one seems to be.
fn watch(seen: &mut Vec<Watch>) -> bool {
    let now = now();
    seen.resize_with(hub::all().len(), Watch::default);
    let mut is_one_blocked = false;
    for (hub, seen) in hub::all().iter().zip(seen) {
        let switches = hub.switches.load(Ordering::Relaxed);
        hub.look_around.store(true, Ordering::Relaxed);
        let still = switches == seen.switches;
        if (still || hub.timers.is_due(now)) && !hub.is_asleep() {
            hub.make_room.store(true, Ordering::Relaxed);
            let in_program = hub.worker().gate.in_program.load(Ordering::Relaxed) != 0;
            if (!still || seen.at_work(hub)) && in_program {
                super::preempt::send(hub.worker());
            }
        }
        if !still || hub.is_asleep() {
            seen.moved(switches);
        }
        is_one_blocked |= seen.is_blocked();
    }
    is_one_blocked
}
