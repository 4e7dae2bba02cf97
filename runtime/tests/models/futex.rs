//! Futexes: a waiter reports success exactly when one waker counted it, no wake-up is missed, and nobody touches a waiter or its
//! task when they may be gone.
//!
//! Mirrors `Waiter`, `Queue`, `Wait` (poll, `give_up`, drop), `wake`, `lock_two` and `requeue` of `syscalls/futex.rs`, without
//! bit sets, and with two addresses that have a bucket each. A wake-up that is missed is a deadlock to loom, and memory that is
//! touched without an order between the two is a violation of the cell there.

use crate::bell::Bell;
use crate::{check, check_with, faulty, leak, Fault};
use loom::cell::{Cell, UnsafeCell};
use loom::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use loom::sync::{Mutex, MutexGuard};
use loom::thread;

/// Memory as far as it matters here: it is used, and at last it is freed.
struct Memory(UnsafeCell<()>);

impl Memory {
    fn new() -> Self {
        Self(UnsafeCell::new(()))
    }

    fn touch(&self) {
        self.0.with(|_| ());
    }

    fn free(&self) {
        self.0.with_mut(|_| ());
    }
}

struct Task {
    memory: Memory,
    queued: AtomicBool,
    ready: Bell,
}

impl Task {
    fn new() -> &'static Self {
        leak(Self {
            memory: Memory::new(),
            queued: AtomicBool::new(false),
            ready: Bell::new(),
        })
    }

    fn wake(&self) {
        self.memory.touch();
        if !self.queued.swap(true, Ordering::AcqRel) {
            // Its link is written when it goes into the inbox.
            self.memory.touch();
            self.ready.ring();
        }
    }

    /// Its hub takes it out of the queue.
    fn awaken(&self) {
        self.ready.wait();
        self.queued.swap(false, Ordering::AcqRel);
    }
}

struct Waiter {
    memory: Memory,
    task: &'static Task,
    address: AtomicUsize,
    next: Cell<Option<&'static Waiter>>,
    prev: Cell<Option<&'static Waiter>>,
    linked: Cell<bool>,
    woken: AtomicBool,
}

impl Waiter {
    fn address(&self) -> usize {
        self.address.load(Ordering::Relaxed)
    }

    fn lock_bucket(&self, table: &'static Table) -> MutexGuard<'static, Queue> {
        loop {
            let address = self.address();
            let queue = table.lock(address);
            if self.address() == address || faulty(Fault::BucketNotChecked) {
                return queue;
            }
        }
    }

    fn wake(&self) {
        if faulty(Fault::WokenTooEarly) {
            self.woken.store(true, Ordering::Release);
        }
        self.memory.touch();
        self.task.wake();
        self.memory.touch();
        let order = if faulty(Fault::WokenRelaxed) {
            Ordering::Relaxed
        } else {
            Ordering::Release
        };
        self.woken.store(true, order);
    }
}

#[derive(Default)]
struct Queue {
    first: Option<&'static Waiter>,
    last: Option<&'static Waiter>,
}

impl Queue {
    fn push(&mut self, waiter: &'static Waiter) {
        waiter.memory.touch();
        waiter.next.set(None);
        waiter.prev.set(self.last);
        match self.last {
            Some(last) => last.next.set(Some(waiter)),
            None => self.first = Some(waiter),
        }
        self.last = Some(waiter);
        waiter.linked.set(true);
    }

    fn unlink(&mut self, waiter: &'static Waiter) {
        waiter.memory.touch();
        let (prev, next) = (waiter.prev.get(), waiter.next.get());
        match prev {
            Some(prev) => prev.next.set(next),
            None => self.first = next,
        }
        match next {
            Some(next) => next.prev.set(prev),
            None => self.last = prev,
        }
        waiter.linked.set(false);
    }

    fn take(&mut self, address: usize, count: usize, mut f: impl FnMut(&'static Waiter)) -> usize {
        let mut taken = 0;
        let mut at = self.first;
        while taken < count {
            let Some(waiter) = at else { break };
            waiter.memory.touch();
            at = waiter.next.get();
            if waiter.address() == address {
                self.unlink(waiter);
                f(waiter);
                taken += 1;
            }
        }
        taken
    }
}

/// The program's two words, and their buckets.
struct Table {
    words: [AtomicU32; 2],
    buckets: [Mutex<Queue>; 2],
}

impl Table {
    fn new() -> &'static Self {
        leak(Self {
            words: Default::default(),
            buckets: Default::default(),
        })
    }

    fn lock(&'static self, address: usize) -> MutexGuard<'static, Queue> {
        self.buckets[address].lock().unwrap()
    }

    fn wake(&'static self, address: usize, count: usize) -> usize {
        self.lock(address).take(address, count, Waiter::wake)
    }

    /// What a program does before it wakes.
    fn change_and_wake(&'static self, address: usize) -> usize {
        self.words[address].store(1, Ordering::SeqCst);
        self.wake(address, 1)
    }

    /// The buckets of two different addresses, in the order of the arguments.
    fn lock_two(
        &'static self,
        a: usize,
        b: usize,
    ) -> (MutexGuard<'static, Queue>, MutexGuard<'static, Queue>) {
        if a < b || faulty(Fault::UnorderedLocks) {
            let first = self.lock(a);
            (first, self.lock(b))
        } else {
            let second = self.lock(b);
            (self.lock(a), second)
        }
    }

    /// Moves a waiter.
    fn requeue(&'static self, from: usize, to: usize) -> usize {
        let (mut source, mut target) = self.lock_two(from, to);
        let mut moved = Vec::new();
        let count = source.take(from, 1, |waiter| moved.push(waiter));
        for waiter in moved {
            waiter.address.store(to, Ordering::Relaxed);
            target.push(waiter);
        }
        count
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    Woken,
    Again,
    Timeout,
}

/// A wait for a word to be other than 0.
struct Wait {
    table: &'static Table,
    waiter: &'static Waiter,
    started: bool,
}

impl Wait {
    fn new(table: &'static Table, task: &'static Task, address: usize) -> Self {
        let waiter = leak(Waiter {
            memory: Memory::new(),
            task,
            address: AtomicUsize::new(address),
            next: Cell::new(None),
            prev: Cell::new(None),
            linked: Cell::new(false),
            woken: AtomicBool::new(false),
        });
        Self {
            table,
            waiter,
            started: false,
        }
    }

    fn poll(&mut self) -> Option<Ended> {
        if self.started {
            if self.waiter.woken.load(Ordering::Acquire) {
                return Some(Ended::Woken);
            }
            if faulty(Fault::PollWithoutLock) {
                return None;
            }
            let queue = self.waiter.lock_bucket(self.table);
            let woken = !self.waiter.linked.get();
            drop(queue);
            return woken.then_some(Ended::Woken);
        }
        let address = self.waiter.address();
        let mut queue = self.table.lock(address);
        if self.table.words[address].load(Ordering::SeqCst) != 0 {
            return Some(Ended::Again);
        }
        self.started = true;
        queue.push(self.waiter);
        None
    }

    /// Leaves the queue for another reason than a wake-up; false if a waker came first.
    fn give_up(&mut self) -> bool {
        if faulty(Fault::TimeoutWithoutLook) {
            return true;
        }
        if self.waiter.woken.load(Ordering::Acquire) {
            return false;
        }
        let mut queue = self.waiter.lock_bucket(self.table);
        let linked = self.waiter.linked.get();
        if linked {
            queue.unlink(self.waiter);
        }
        linked
    }

    /// `drop`, by another name: when loom has found something, it unwinds all threads, and drops must not go on with the model.
    fn leave(self) {
        if self.started
            && !self.waiter.woken.load(Ordering::Acquire)
            && !faulty(Fault::DropWithoutLock)
        {
            let mut queue = self.waiter.lock_bucket(self.table);
            if self.waiter.linked.get() {
                queue.unlink(self.waiter);
            }
        }
        self.waiter.memory.free();
    }
}

/// A task that waits until it is woken, and ends.
fn wait(table: &'static Table, address: usize) -> Ended {
    let task = Task::new();
    let mut wait = Wait::new(table, task, address);
    let ended = loop {
        match wait.poll() {
            Some(ended) => break ended,
            None => task.awaken(),
        }
    };
    wait.leave();
    task.memory.free();
    ended
}

/// A task whose time is up when it has waited for a moment, and that ends.
fn wait_a_moment(table: &'static Table, address: usize) -> Ended {
    let task = Task::new();
    let mut wait = Wait::new(table, task, address);
    let ended = wait
        .poll()
        .or_else(|| wait.poll())
        .unwrap_or_else(|| match wait.give_up() {
            true => Ended::Timeout,
            false => Ended::Woken,
        });
    wait.leave();
    task.memory.free();
    ended
}

/// A task that ends in the middle of its wait: another one ends the process, or replaces its program.
fn abandon(table: &'static Table, address: usize) {
    let task = Task::new();
    let mut wait = Wait::new(table, task, address);
    let _ = wait.poll();
    wait.leave();
    task.memory.free();
}

fn woken() {
    let table = Table::new();
    let waker = thread::spawn(|| table.change_and_wake(0));
    let ended = wait(table, 0);
    let counted = waker.join().unwrap();
    assert_eq!(
        ended,
        if counted == 1 {
            Ended::Woken
        } else {
            Ended::Again
        }
    );
}

fn timed_out() {
    let table = Table::new();
    let wakers = [
        thread::spawn(|| table.wake(0, 1)),
        thread::spawn(|| table.wake(0, 1)),
    ];
    let ended = wait_a_moment(table, 0);
    let counted: usize = wakers.map(|w| w.join().unwrap()).iter().sum();
    assert_eq!(
        (ended, counted),
        if counted == 0 {
            (Ended::Timeout, 0)
        } else {
            (Ended::Woken, 1)
        }
    );
}

fn one_of_two() {
    let table = Table::new();
    let waiters = [
        thread::spawn(|| wait_a_moment(table, 0)),
        thread::spawn(|| wait_a_moment(table, 0)),
    ];
    let counted = table.wake(0, 1);
    let woken = waiters
        .map(|w| w.join().unwrap())
        .iter()
        .filter(|e| **e == Ended::Woken)
        .count();
    assert_eq!(woken, counted);
}

fn abandoned() {
    let table = Table::new();
    let waker = thread::spawn(|| table.wake(0, 1));
    abandon(table, 0);
    waker.join().unwrap();
}

fn moved() {
    let table = Table::new();
    let waker = thread::spawn(|| {
        let moved = table.requeue(0, 1);
        (moved, table.change_and_wake(0), table.wake(1, 1))
    });
    let ended = wait(table, 0);
    let (moved, here, there) = waker.join().unwrap();
    assert_eq!(moved, there, "who was moved is found at the other address");
    assert_eq!(
        ended,
        if here + there == 1 {
            Ended::Woken
        } else {
            Ended::Again
        }
    );
}

fn moved_and_timed_out() {
    let table = Table::new();
    let mover = thread::spawn(|| table.requeue(0, 1));
    let waker = thread::spawn(|| table.wake(1, 1));
    let ended = wait_a_moment(table, 0);
    let (moved, counted) = (mover.join().unwrap(), waker.join().unwrap());
    assert!(counted <= moved);
    assert_eq!(
        ended,
        if counted == 1 {
            Ended::Woken
        } else {
            Ended::Timeout
        }
    );
}

fn moved_both_ways() {
    let table = Table::new();
    let mover = thread::spawn(|| table.requeue(1, 0));
    table.requeue(0, 1);
    mover.join().unwrap();
}

#[test]
fn a_wake_up_is_never_missed() {
    check(woken);
}

#[test]
fn a_time_out_loses_against_a_wake_up() {
    check(timed_out);
}

#[test]
fn one_wake_up_is_for_one_of_two() {
    check(one_of_two);
}

#[test]
fn a_wait_can_be_abandoned() {
    check(abandoned);
}

#[test]
fn who_is_moved_is_woken_there() {
    check(moved);
}

#[test]
fn a_time_out_loses_against_a_wake_up_elsewhere() {
    check(moved_and_timed_out);
}

#[test]
fn moving_both_ways_ends() {
    check(moved_both_ways);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn saying_woken_first_touches_what_is_gone() {
    check_with(Fault::WokenTooEarly, woken);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn saying_woken_relaxed_touches_what_is_gone() {
    check_with(Fault::WokenRelaxed, woken);
}

#[test]
#[should_panic(expected = "deadlock")]
fn polling_without_the_lock_misses_a_wake_up() {
    check_with(Fault::PollWithoutLock, woken);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn going_without_the_lock_leaves_a_waker_behind() {
    check_with(Fault::DropWithoutLock, abandoned);
}

#[test]
#[should_panic(expected = "assertion")]
fn a_time_out_without_a_look_swallows_a_wake_up() {
    check_with(Fault::TimeoutWithoutLook, timed_out);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_bucket_that_is_not_checked_is_the_wrong_one() {
    check_with(Fault::BucketNotChecked, moved_and_timed_out);
}

#[test]
#[should_panic(expected = "deadlock")]
fn locks_without_an_order_deadlock() {
    check_with(Fault::UnorderedLocks, moved_both_ways);
}
