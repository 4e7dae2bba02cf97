//! The receiver: the process's first OS thread, which takes the process's signals and watches the hubs.
//!
//! The kernel prefers this thread for signals to the process and sends those to the process's id here. While some hub is at work,
//! it looks twice a slice (`COOP_SLICE`) whether one of them has been with the same task all the time, and asks that task to make room.
//! While all hubs sleep it sleeps as well: an idle process uses no CPU.

use super::{bit, post, Info, KICK};
use crate::everywhere;
use crate::hub::relief::Watch;
use crate::hub::{self, world::Section};
use crate::sys;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// How often the hubs are looked at, in ns: twice a slice. A task that was there at two looks has had its hub for half a slice at least and
/// a whole one at most, and makes room.
fn tick() -> libc::timespec {
    libc::timespec {
        tv_sec: 0,
        tv_nsec: i64::from(crate::config::get().slice) * 1_000_000 / 2,
    }
}

/// The receiver's kernel thread id; 0 while there is none.
static TID: AtomicI32 = AtomicI32::new(0);
/// True while the receiver sleeps without a time limit.
static RESTING: AtomicBool = AtomicBool::new(false);

/// Tells the receiver that a hub is at work again. Called by hubs that wake up; costs a load but for the first.
#[inline]
pub(crate) fn hub_awake() {
    if RESTING.load(Ordering::Relaxed) && RESTING.swap(false, Ordering::SeqCst) {
        super::kick_thread(tid());
    }
}

/// The receiver's kernel thread id.
pub(crate) fn tid() -> i32 {
    TID.load(Ordering::Relaxed)
}

/// Says that the calling thread will be the receiver, before anybody can have something for it.
pub fn announce() {
    // SAFETY: takes no arguments.
    let tid = unsafe { sys!(SYS_gettid) }.unwrap_or(0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    TID.store(tid as i32, Ordering::Release);
}

/// Runs on the process's first OS thread from conversion on.
pub fn run() -> ! {
    let all = !0u64;
    // Faults' signals, too: those that somebody sent are handed on to here. A fault of this thread's own ends the process.
    super::set_kernel_mask(all);
    everywhere::register_unless_known(tid());
    let mut seen = Vec::new();
    let mut idle_looks = 0;
    loop {
        // Only here, so that a signal that comes before the wait ends it. Else it is handled, whatever this thread waits for.
        super::set_kernel_mask(all);
        let tick = tick();
        let rest = idle_looks > 2;
        if rest {
            RESTING.store(true, Ordering::SeqCst);
        }
        let timeout = if rest && all_asleep() {
            let _inside = Section::enter();
            crate::deadlock::look();
            std::ptr::null()
        } else {
            &raw const tick
        };
        let mut info = Info::from_user(0, 0);
        // SAFETY: the buffers are valid.
        let got = unsafe { sys!(SYS_rt_sigtimedwait, &all, &mut info, timeout, 8) };
        RESTING.store(false, Ordering::Relaxed);
        everywhere::answer();
        super::set_kernel_mask(!bit(KICK));
        let _inside = Section::enter();
        if got.is_ok() && !(info.signal == KICK && info.code == libc::SI_TKILL) {
            post(super::fault::as_sent(info));
        }
        if all_asleep() {
            idle_looks += 1;
        } else {
            idle_looks = 0;
            if got.is_err() {
                watch(&mut seen);
            }
        }
    }
}

fn all_asleep() -> bool {
    hub::all().iter().all(|h| h.is_asleep())
}

/// Asks tasks that have run since the last look, or that keep a due timer waiting, to make room. A hub whose thread is stuck in the kernel
/// is given to another.
fn watch(seen: &mut Vec<Watch>) {
    let now = sys::now(libc::CLOCK_MONOTONIC);
    seen.resize_with(hub::all().len(), Watch::default);
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
        if !still {
            seen.moved(switches);
        }
    }
}
