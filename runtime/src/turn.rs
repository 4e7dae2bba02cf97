//! Whose a task is at this moment: two flags by which hubs and wakers agree, without a lock.
//!
//! ```text
//!   waker                                        hub
//!   ─────                                        ───
//!   publish what the task is woken for           take the task out of the queue
//!   claim():  queued false → true, once          begin():     on_cpu = true;  queued true → false
//!     queue it at its hub, or,                     look at what it was woken for; run it; it parks
//!     if is_down(), at any hub                   put_down():  on_cpu = false
//! ```
//!
//! - `claim` and `begin` exchange `queued`, so they are in one order: who finds the task claimed already has published before its hub
//!   begins, which then sees it. No wake-up is lost, and at most one party has the right to queue the task.
//! - `begin` says `on_cpu` before it gives up the claim: who claims the task later finds it on the CPU, unless it has been put
//!   down since. Then the claimer sees all that its hub wrote (Release, Acquire), and the hub touches it no more: the task may move.
//!
//! A model (`tests/models/wake.rs`) checks both.

use sync::{AtomicBool, Ordering};

#[cfg(not(all(loom, test)))]
mod sync {
    pub use std::sync::atomic::{AtomicBool, Ordering};
}
// Only where the models include this file: the library around it stands on the real ones.
#[cfg(all(loom, test))]
mod sync {
    pub use crate::wake::AtomicBool;
    pub use std::sync::atomic::Ordering;
}

/// The flags of one task.
#[derive(Debug, Default)]
pub struct Turn {
    queued: AtomicBool,
    on_cpu: AtomicBool,
}

impl Turn {
    /// For a new task in a slot that was another's: nobody has it queued or in hand.
    pub fn reset(&self) {
        self.queued.store(false, Ordering::Relaxed);
        self.on_cpu.store(false, Ordering::Relaxed);
    }

    /// Asks for the right to queue the task. True for one caller, until a hub begins with it.
    #[must_use]
    pub fn claim(&self) -> bool {
        !self.queued.swap(true, Ordering::AcqRel)
    }

    /// Whether somebody has the task queued, or is about to.
    pub fn is_claimed(&self) -> bool {
        self.queued.load(Ordering::Acquire)
    }

    /// A hub has taken the task out of its queue.
    pub fn begin(&self) {
        self.on_cpu.store(true, Ordering::Relaxed);
        self.queued.swap(false, Ordering::AcqRel);
    }

    /// The hub is done with the task for now: it is whole.
    pub fn put_down(&self) {
        self.on_cpu.store(false, Ordering::Release);
    }

    /// Whether no hub has the task in hand. For those who have claimed it.
    pub fn is_down(&self) -> bool {
        !self.on_cpu.load(Ordering::Acquire)
    }
}
