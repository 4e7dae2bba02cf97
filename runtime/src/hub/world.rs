//! Stopping the world: a moment in which no other thread is inside the runtime, for fork.
//!
//! A forked child has one thread and a copy of everybody's memory, so whatever another thread held locked or half changed
//! would stay so for ever. The forking hub therefore raises [`STOPPING`], and waits until every other hub is in program code
//! (`Gate::in_program`), asleep, or stopped at a pause point; pool threads and the signal receiver likewise, through [`Section`].
//!
//! A hub enters the runtime with a plain store of `in_program = 0` and then, at the first pause point, loads `STOPPING`; the
//! forker stores `STOPPING` and then loads `in_program`. That is Dekker's pattern with the fence left out on the fast side: the
//! forker makes up for it with `membarrier(2)`, which puts a full barrier on every running thread.

use super::worker::{self, Worker};
use crate::spin;
use crate::sys;
use std::ptr;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Non-zero while somebody stops the world, who is the one that made it so; a futex word.
static STOPPING: AtomicU32 = AtomicU32::new(0);
/// How many threads that are no hubs are inside the runtime.
static INSIDE: AtomicUsize = AtomicUsize::new(0);

const MEMBARRIER_PRIVATE_EXPEDITED: i32 = 1 << 3;
const MEMBARRIER_REGISTER_PRIVATE_EXPEDITED: i32 = 1 << 4;

/// Registers for `membarrier`. At conversion.
pub fn prepare() {
    // SAFETY: takes no pointers. On failure `barrier` falls back to waiting a little.
    let _ = unsafe { sys!(SYS_membarrier, MEMBARRIER_REGISTER_PRIVATE_EXPEDITED, 0, 0) };
}

/// A full barrier on every thread of the process that runs.
pub(crate) fn barrier() {
    std::sync::atomic::fence(Ordering::SeqCst);
    // SAFETY: takes no pointers.
    if unsafe { sys!(SYS_membarrier, MEMBARRIER_PRIVATE_EXPEDITED, 0, 0) }.is_err() {
        // Without it (before Linux 4.14) a store sits in a store buffer for nanoseconds; this is thousands of them.
        std::thread::sleep(std::time::Duration::from_micros(50));
    }
}

/// Runs `f` (a wait in the kernel that touches nothing shared) with the hub counted as stopped.
pub(super) fn at_rest(worker: &Worker, f: impl FnOnce()) {
    worker.resting.store(1, Ordering::SeqCst);
    f();
    worker.resting.store(0, Ordering::SeqCst);
    pause_point(worker);
}

/// Waits here while somebody stops the world. No lock may be held.
#[inline]
pub(crate) fn pause_point(worker: &Worker) {
    if is_stopping() {
        pause(worker);
    }
}

/// Whether somebody stops the world.
#[inline]
pub(super) fn is_stopping() -> bool {
    STOPPING.load(Ordering::SeqCst) != 0
}

#[cold]
fn pause(worker: &Worker) {
    loop {
        worker.resting.store(1, Ordering::SeqCst);
        wait_for_go();
        worker.resting.store(0, Ordering::SeqCst);
        if STOPPING.load(Ordering::SeqCst) == 0 {
            return;
        }
    }
}

fn wait_for_go() {
    while STOPPING.load(Ordering::SeqCst) != 0 {
        sys::futex_wait(&STOPPING, 1);
    }
}

/// While it lives, a thread that is no hub (pool, receiver) is inside the runtime.
#[derive(Debug)]
pub(crate) struct Section(());

impl Section {
    pub(crate) fn enter() -> Self {
        loop {
            if let Some(inside) = Self::try_enter() {
                return inside;
            }
            wait_for_go();
        }
    }

    /// None while somebody stops the world.
    pub(crate) fn try_enter() -> Option<Self> {
        INSIDE.fetch_add(1, Ordering::SeqCst);
        let inside = Self(());
        (STOPPING.load(Ordering::SeqCst) == 0).then_some(inside)
    }
}

impl Drop for Section {
    fn drop(&mut self) {
        INSIDE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The world stands still while this lives. A forked child forgets it: nobody is there to go on.
#[derive(Debug)]
pub(crate) struct Stopped(());

/// Stops all other threads of the runtime outside of it. Called by a hub's thread at a crossing, with no lock held.
pub(crate) fn stop(me: &'static Worker) -> Stopped {
    // Two hubs that fork at the same time: the second counts as stopped while it waits for its turn.
    me.resting.store(1, Ordering::SeqCst);
    while STOPPING
        .compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst)
        .is_err()
    {
        wait_for_go();
    }
    me.resting.store(0, Ordering::SeqCst);
    barrier();
    for worker in worker::all().filter(|w| !ptr::eq(*w, me)) {
        spin::until(|| {
            worker.gate.in_program.load(Ordering::SeqCst) != 0
                || worker.resting.load(Ordering::SeqCst) != 0
        });
    }
    spin::until(|| INSIDE.load(Ordering::SeqCst) == 0);
    Stopped(())
}

impl Drop for Stopped {
    fn drop(&mut self) {
        STOPPING.store(0, Ordering::SeqCst);
        sys::futex_wake(&STOPPING, i32::MAX);
    }
}

/// In a forked child that begins anew: nobody stops anybody.
pub(crate) fn forget_all() {
    STOPPING.store(0, Ordering::SeqCst);
    INSIDE.store(0, Ordering::SeqCst);
}
