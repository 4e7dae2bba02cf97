//! Futexes: a waiter reports success exactly when one waker counted it, no wake-up is missed, and nobody touches a waiter or its
//! task when they may be gone.
//!
//! The queues are the real ones, `syscalls/futex/queue.rs`, with two addresses that have a bucket each. What is here is what they stand on: a
//! lock, tasks and the program's words; and calls that wait, as `Wait` of `syscalls/futex.rs` does. A wake-up that is missed is a
//! deadlock to loom, and memory that is touched without an order between the two is a violation of the cell there.

use crate::bell::Bell;
use crate::real_futex::{Queue, Sleeper, Table, Two, Waiter, ANY};
use crate::{check, check_with, faulty, leak, Fault};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{self, AtomicU32, Ordering};
use loom::sync::{Mutex, MutexGuard};
use loom::thread;
use std::ops::{Deref, DerefMut};

/// A bucket's lock.
#[derive(Debug)]
pub struct Lock<T>(Mutex<T>);

/// A bucket, locked.
#[derive(Debug)]
pub struct Guard<'a, T>(MutexGuard<'a, T>);

impl<T> Lock<T> {
    pub fn lock(&self) -> Guard<'_, T> {
        Guard(self.0.lock().unwrap())
    }
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Guard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// `woken`, with the fault that it could have.
#[derive(Debug)]
pub struct AtomicBool(atomic::AtomicBool);

impl AtomicBool {
    pub fn new(value: bool) -> Self {
        Self(atomic::AtomicBool::new(value))
    }

    pub fn load(&self, order: Ordering) -> bool {
        self.0.load(order)
    }

    pub fn store(&self, value: bool, order: Ordering) {
        let order = if faulty(Fault::WokenRelaxed) {
            Ordering::Relaxed
        } else {
            order
        };
        self.0.store(value, order);
    }
}

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
    queued: atomic::AtomicBool,
    ready: Bell,
}

impl Task {
    fn new() -> &'static Self {
        leak(Self {
            memory: Memory::new(),
            queued: atomic::AtomicBool::new(false),
            ready: Bell::new(),
        })
    }

    fn do_wake(&self) {
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

impl Sleeper for &'static Task {
    fn wake(&self) {
        self.do_wake();
    }
}

/// The program's two words, and their buckets.
struct Words {
    words: [AtomicU32; 2],
    buckets: [Lock<Queue<&'static Task>>; 2],
}

/// The table as a thread sees it.
#[derive(Clone, Copy)]
struct View {
    words: &'static Words,
    /// It takes the buckets' order for the other one.
    turned: bool,
    /// It takes a waiter that was moved for where it was.
    blind: bool,
}

impl Table<&'static Task> for View {
    fn place(self, address: usize) -> usize {
        if self.blind {
            0
        } else if self.turned {
            1 - address
        } else {
            address
        }
    }

    fn bucket(self, place: usize) -> &'static Lock<Queue<&'static Task>> {
        &self.words.buckets[if self.turned { 1 - place } else { place }]
    }
}

impl View {
    fn new() -> Self {
        Self {
            words: leak(Words {
                words: Default::default(),
                buckets: [0, 1].map(|_| Lock(Mutex::new(Queue::new()))),
            }),
            turned: false,
            blind: false,
        }
    }

    /// For another thread, of which two must agree on the order.
    fn other(self) -> Self {
        Self {
            turned: faulty(Fault::UnorderedLocks),
            ..self
        }
    }

    fn wake(self, address: usize, count: usize) -> usize {
        let mut queue = self.bucket(self.place(address)).lock();
        queue.take(address, ANY, count, |waiter| {
            if faulty(Fault::WokenTooEarly) {
                waiter.say_woken();
                waiter.sleeper.wake();
            } else {
                waiter.wake();
            }
        })
    }

    /// What a program does before it wakes.
    fn change_and_wake(self, address: usize) -> usize {
        self.words.words[address].store(1, Ordering::SeqCst);
        self.wake(address, 1)
    }

    /// Moves a waiter.
    fn requeue(self, from: usize, to: usize) -> usize {
        Two::lock(self, from, to).requeue(from, to, 1)
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
    table: View,
    waiter: &'static Waiter<&'static Task>,
    started: bool,
}

impl Wait {
    fn new(table: View, task: &'static Task, address: usize) -> Self {
        Self {
            table,
            waiter: leak(Waiter::new(task, address, ANY)),
            started: false,
        }
    }

    fn poll(&mut self) -> Option<Ended> {
        if self.started {
            let woken = if faulty(Fault::PollWithoutLock) {
                self.waiter.has_said_woken()
            } else {
                self.waiter.is_woken(self.table)
            };
            return woken.then_some(Ended::Woken);
        }
        let words = &self.table.words.words;
        let look = |address: usize| match words[address].load(Ordering::SeqCst) {
            0 => Ok(()),
            _ => Err(Ended::Again),
        };
        match self.waiter.queue(self.table, look) {
            Ok(()) => {
                self.started = true;
                None
            }
            Err(ended) => Some(ended),
        }
    }

    /// Leaves the queue for another reason than a wake-up; false if a waker came first.
    fn give_up(&self) -> bool {
        faulty(Fault::TimeoutWithoutLook) || self.leave_queue()
    }

    fn leave_queue(&self) -> bool {
        self.waiter.leave(View {
            blind: faulty(Fault::BucketNotChecked),
            ..self.table
        })
    }

    /// `drop`, by another name: when loom has found something, it unwinds all threads, and drops must not go on with the model.
    fn leave(self) {
        if self.started && !faulty(Fault::DropWithoutLock) {
            self.leave_queue();
        }
        self.waiter.free();
    }
}

/// A task that waits until it is woken, and ends.
fn wait(table: View, address: usize) -> Ended {
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
fn wait_a_moment(table: View, address: usize) -> Ended {
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
fn abandon(table: View, address: usize) {
    let task = Task::new();
    let mut wait = Wait::new(table, task, address);
    let _ = wait.poll();
    wait.leave();
    task.memory.free();
}

fn woken() {
    let table = View::new();
    let waker = thread::spawn(move || table.change_and_wake(0));
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
    let table = View::new();
    let wakers = [
        thread::spawn(move || table.wake(0, 1)),
        thread::spawn(move || table.wake(0, 1)),
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
    let table = View::new();
    let waiters = [
        thread::spawn(move || wait_a_moment(table, 0)),
        thread::spawn(move || wait_a_moment(table, 0)),
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
    let table = View::new();
    let waker = thread::spawn(move || table.wake(0, 1));
    abandon(table, 0);
    waker.join().unwrap();
}

fn moved() {
    let table = View::new();
    let waker = thread::spawn(move || {
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
    let table = View::new();
    let mover = thread::spawn(move || table.requeue(0, 1));
    let waker = thread::spawn(move || table.wake(1, 1));
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
    let table = View::new();
    let mover = thread::spawn(move || table.other().requeue(1, 0));
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
    check_with(Fault::WokenTooEarly, timed_out);
}

#[test]
#[should_panic(expected = "Causality violation")]
fn saying_woken_relaxed_touches_what_is_gone() {
    check_with(Fault::WokenRelaxed, timed_out);
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
