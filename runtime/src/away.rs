//! Who has a task that is away (`hub/relief.rs`), and who may queue it when it comes back: one word that two sides exchange.
//!
//! ```text
//!   receiver                          stuck worker                      hub, on its new worker
//!   ────────                          ────────────                      ──────────────────────
//!   turn.claim() → claimed?
//!   go_away(worker, claimed)
//!                                     … comes back from the kernel      takes a hint out of its queue
//!                                     turn.put_down()                   pass_claim(): yes → leave the task alone
//!                                     come_back(): claimed? queue it                  no → run it
//! ```
//!
//! The claim ([`crate::turn`]) is the right to queue the task. If nobody had it, the receiver takes it for the stuck worker, and wakers
//! come to nothing meanwhile. If a hint had the task queued already, the claim is the queue's: the hub that takes it out passes it on
//! to the stuck worker, if the task is away still, and else has it itself. So exactly one side goes on with the task. A model
//! (`tests/models/away.rs`) checks it, and that no wake-up is lost.

use sync::{AtomicUsize, Ordering};

#[cfg(not(all(loom, test)))]
mod sync {
    pub use std::sync::atomic::{AtomicUsize, Ordering};
}
// Only where the models include this file: the library around it stands on the real ones.
#[cfg(all(loom, test))]
mod sync {
    pub use crate::away::AtomicUsize;
    pub use std::sync::atomic::Ordering;
}

/// Next to the worker's address: it has the claim.
const CLAIMED: usize = 1;

/// Where a task is, if not with its hub.
#[derive(Debug, Default)]
pub struct Away(AtomicUsize);

impl Away {
    /// For a new task in a slot that was another's.
    pub fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// The address of the worker that has the task; 0: none.
    pub fn worker(&self) -> usize {
        self.0.load(Ordering::Acquire) & !CLAIMED
    }

    /// The task stays with a worker (an even address) that has lost its hub.
    pub fn go_away(&self, worker: usize, claimed: bool) {
        self.0
            .store(worker | if claimed { CLAIMED } else { 0 }, Ordering::SeqCst);
    }

    /// A hub has taken the task out of its queue. True if the task is away: its worker has the claim now.
    #[inline]
    pub fn pass_claim(&self) -> bool {
        let away = self.0.load(Ordering::Acquire);
        away != 0
            && self
                .0
                .compare_exchange(away, away | CLAIMED, Ordering::SeqCst, Ordering::SeqCst)
                .is_ok()
    }

    /// The worker gives the task back, which it has put down. True if it has the claim, and is to queue it.
    #[must_use]
    pub fn come_back(&self) -> bool {
        self.0.swap(0, Ordering::SeqCst) & CLAIMED != 0
    }
}
