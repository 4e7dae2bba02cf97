//! Models of what hubs do to each other across threads, explored by [loom](https://docs.rs/loom): every interleaving up to a number
//! of preemptions, and every value that the memory model lets a load see.
//!
//! | model | what it is about | the code |
//! |---|---|---|
//! | [`inbox`] | a hub falls asleep while others put something into its inbox | the real `hub/inbox.rs` |
//! | [`wake`] | a task is run while a signal wakes it, or is taken over by another hub | the real `turn.rs`, with steps of `hub/mod.rs` and `hub/balance.rs` |
//! | [`away`] | a task comes back from a worker that lost its hub | the real `away.rs` and `turn.rs`, with steps of `hub/relief.rs` |
//! | [`futex`] | waiting, waking, giving up and being moved to another address | the real `syscalls/futex/queue.rs` |
//! | [`hand_over`] | a signal for the process comes while tasks change their masks | steps of `signal/shared.rs` and `signal/mod.rs` |
//! | [`seen`] | a signal comes while a task opens a mask that it had closed for a moment | steps of the same |
//! | [`closing`] | a number is closed while calls wait on it | steps of `syscalls/close.rs` and `fds.rs` |
//!
//! The last three copy the steps, under the names that they have there: the code itself stands on statics and system calls, which
//! loom cannot take back between two runs. Whoever changes the one changes the other.
//!
//! Each model comes with [`Fault`]s: a step left out, moved or weakened. For each there is a test that loom *does* find it, so that
//! no model passes because it looks at nothing.
//!
//! `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom cargo test -p coop-runtime --test models --release`

#![cfg(loom)]

#[path = "../../src/hub/inbox.rs"]
#[allow(dead_code)] // the hub asks some of it only to show it
mod real_inbox;

#[path = "../../src/turn.rs"]
#[allow(dead_code)] // as above
mod real_turn;

#[path = "../../src/away.rs"]
#[allow(dead_code)] // as above
mod real_away;

#[path = "../../src/syscalls/futex/queue.rs"]
#[allow(dead_code)] // as above
mod real_futex;

mod away;
mod bell;
mod closing;
mod futex;
mod hand_over;
mod inbox;
mod seen;
mod seq_cst;
mod wake;

use std::cell::Cell;

/// What a model is made to do wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    /// Sequentially consistent accesses are release and acquire only.
    NotSeqCst,
    /// A hub says that a task is not queued any more by a store, which its next loads may overtake.
    UnqueuedByStore,
    /// A hub puts a task down without Release.
    PutDownRelaxed,
    /// A waker takes a task over without a look at whether its hub has it in hand.
    TakenInHand,
    /// A worker that gives a task back loads and stores where it must exchange.
    BackByStore,
    /// A hub passes the claim on without a look at whether the task still is away.
    PassedWithoutLook,
    /// A waker says `woken` before it wakes the task.
    WokenTooEarly,
    /// `woken` is stored without Release.
    WokenRelaxed,
    /// A waiter looks at `woken` only, not under the lock.
    PollWithoutLock,
    /// A waiter that was not woken goes without taking the lock.
    DropWithoutLock,
    /// A time-out is reported without a look at whether a waker came first.
    TimeoutWithoutLook,
    /// A waiter does not look again whether the bucket that it locked still is its own.
    BucketNotChecked,
    /// Two buckets are locked in the order in which they are named.
    UnorderedLocks,
    /// A close changes the generation before it takes the lock.
    GenerationOutsideLock,
    /// A close begins while another one of the number is under way.
    ClosesTogether,
    /// A call that begins while a close is under way does not wait until that is over.
    JoinsBetween,
    /// A task that was told of a signal and does not take it tells nobody else.
    NotPassedOn,
    /// A task looks for signals before it has opened its mask.
    LookBeforeMask,
    /// A task whose handler blocks a signal does not offer more of them to others.
    MoreNotOffered,
    /// Who considers a signal says so after it has looked at masks.
    SeenAfterMasks,
    /// Who finds a signal gone asks the kernel before it takes the lock.
    AskedOutsideLock,
    /// Generation and count are looked at one after the other.
    CountApart,
}

thread_local! {
    // All threads of a model are coroutines on the test's own thread.
    static PRESENT: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// Whether the model that runs has this fault.
fn faulty(fault: Fault) -> bool {
    PRESENT.get() == Some(fault)
}

/// Explores a model.
fn check(model: fn()) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.check(model);
}

/// Explores a model that has a fault; panics with what loom finds.
fn check_with(fault: Fault, model: fn()) {
    struct Mended;
    impl Drop for Mended {
        fn drop(&mut self) {
            PRESENT.set(None);
        }
    }
    PRESENT.set(Some(fault));
    let _mended = Mended;
    check(model);
}

/// What lives until the end of a run: a run's memory is small, and loom forgets what it knew of it.
fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
