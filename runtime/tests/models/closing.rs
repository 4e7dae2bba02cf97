//! Closing a number on which calls wait: they go on with a duplicate, which the last of them closes, once.
//!
//! Mirrors `Entry` of `fds.rs`, and `Held` and `let_go` of `syscalls/close.rs` with `COOP_CLOSE=native`, for one number. The file
//! that the number stood for before any close is file 0, the next one file 1, and so on: that of a generation, as each close changes both.

use crate::{check, check_with, faulty, leak, Fault};
use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use loom::sync::{Mutex, MutexGuard};
use loom::thread;
use std::collections::HashMap;

struct Entry {
    state: AtomicU64,
}

const CHANGING: u64 = 1 << 31;
const WAITERS: u64 = CHANGING - 1;

impl Entry {
    fn generation(&self) -> u32 {
        (self.state.load(Ordering::Acquire) >> 32) as u32
    }

    /// None while a close is under way: who waits until it is over begins later, and that is tried as well.
    fn settled_generation(&self) -> Option<u32> {
        let state = self.state.load(Ordering::Acquire);
        let settled = state & CHANGING == 0 || faulty(Fault::JoinsBetween);
        settled.then_some((state >> 32) as u32)
    }

    fn add_waiter(&self, generation: u32) -> bool {
        self.update(generation, |state| state + 1)
    }

    fn remove_waiter(&self, generation: u32) -> bool {
        if faulty(Fault::CountApart) {
            let same = self.generation() == generation;
            if same {
                self.state.fetch_sub(1, Ordering::AcqRel);
            }
            return same;
        }
        self.update(generation, |state| state - 1)
    }

    fn update(&self, generation: u32, change: impl Fn(u64) -> u64) -> bool {
        let same = |state: u64| (state >> 32 == u64::from(generation)).then(|| change(state));
        self.state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, same)
            .is_ok()
    }

    fn begin_change(&self, some: bool) -> Option<(u32, u32)> {
        loop {
            let old = self.state.load(Ordering::Acquire);
            if old & CHANGING != 0 && !faulty(Fault::ClosesTogether) {
                thread::yield_now();
                continue;
            }
            if !some && old & WAITERS != 0 {
                return None;
            }
            let new = ((old >> 32) + 1) << 32 | CHANGING;
            let changed =
                self.state
                    .compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire);
            if changed.is_ok() {
                return Some(((old >> 32) as u32, (old & WAITERS) as u32));
            }
        }
    }

    fn end_change(&self) {
        self.state.fetch_and(!CHANGING, Ordering::AcqRel);
    }
}

/// A number of the process, and what the runtime knows of it.
struct Number {
    entry: Entry,
    /// What the kernel has under it.
    file: AtomicU32,
    /// By generation: how many use the duplicate.
    closed: Mutex<HashMap<u32, u32>>,
    /// By generation: the duplicates that are open, and how many there were.
    open: Mutex<Duplicates>,
}

#[derive(Default)]
struct Duplicates {
    open: Vec<u32>,
    made: usize,
}

impl Number {
    fn new() -> &'static Self {
        leak(Self {
            entry: Entry {
                state: AtomicU64::new(0),
            },
            file: AtomicU32::new(0),
            closed: Mutex::new(HashMap::new()),
            open: Mutex::new(Duplicates::default()),
        })
    }

    fn close(&self) {
        self.let_go();
        self.file.fetch_add(1, Ordering::AcqRel);
        self.entry.end_change();
    }

    fn let_go(&self) {
        if faulty(Fault::GenerationOutsideLock) {
            let (generation, users) = self.entry.begin_change(true).unwrap();
            if users > 0 {
                self.keep(generation, users, &mut self.closed.lock().unwrap());
            }
            return;
        }
        if self.entry.begin_change(false).is_some() {
            return;
        }
        let mut closed = self.closed.lock().unwrap();
        let (generation, users) = self.entry.begin_change(true).unwrap();
        if users > 0 {
            self.keep(generation, users, &mut closed);
        }
    }

    fn keep(&self, generation: u32, users: u32, closed: &mut MutexGuard<'_, HashMap<u32, u32>>) {
        let file = self.file.load(Ordering::Acquire);
        assert_eq!(file, generation, "what is kept is what they wait for");
        let mut duplicates = self.open.lock().unwrap();
        duplicates.open.push(generation);
        duplicates.made += 1;
        assert!(
            closed.insert(generation, users).is_none(),
            "a file is kept once"
        );
    }

    /// Closes a duplicate, which must be open.
    fn close_own(&self, generation: u32) {
        let open = &mut self.open.lock().unwrap().open;
        let at = open.iter().position(|g| *g == generation);
        open.swap_remove(at.expect("a duplicate is closed once"));
    }

    /// At the end: nobody waits, and nothing that was kept is still there. Gives how many duplicates there were.
    fn finish(&self) -> usize {
        let duplicates = self.open.lock().unwrap();
        assert_eq!(
            self.entry.state.load(Ordering::Acquire) as u32,
            0,
            "a waiter or a close is still counted"
        );
        assert!(
            self.closed.lock().unwrap().is_empty(),
            "a user is still counted"
        );
        assert!(duplicates.open.is_empty(), "a duplicate is left open");
        duplicates.made
    }
}

struct Held {
    number: &'static Number,
    generation: u32,
    counted: bool,
}

impl Held {
    fn new(number: &'static Number) -> Option<Self> {
        Some(Self {
            number,
            generation: number.entry.settled_generation()?,
            counted: false,
        })
    }

    fn hold(&mut self) {
        self.counted = self.number.entry.add_waiter(self.generation);
    }

    /// `fd`, for those who hold: the number itself, or the duplicate, which must be there.
    fn look(&self) {
        if self.counted && self.number.entry.generation() != self.generation {
            let closed = self.number.closed.lock().unwrap();
            assert!(
                closed.contains_key(&self.generation),
                "a call that waits keeps its file"
            );
            assert!(
                self.number
                    .open
                    .lock()
                    .unwrap()
                    .open
                    .contains(&self.generation),
                "its file is open"
            );
        }
    }

    /// `drop`, by another name: when loom has found something, it unwinds all threads, and drops must not go on with the model.
    fn leave(self) {
        if !self.counted || self.number.entry.remove_waiter(self.generation) {
            return;
        }
        let mut closed = self.number.closed.lock().unwrap();
        let Some(users) = closed.get_mut(&self.generation) else {
            return;
        };
        *users -= 1;
        if *users == 0 {
            closed.remove(&self.generation);
            self.number.close_own(self.generation);
        }
    }
}

/// A call that waits on the number. True if it was in time to keep its file.
fn call(number: &'static Number) -> bool {
    let Some(mut file) = Held::new(number) else {
        return false;
    };
    // The first try, which finds that it has to wait.
    let tried = number.file.load(Ordering::Acquire);
    file.hold();
    if file.counted {
        assert_eq!(tried, file.generation, "a call waits for what it has tried");
    }
    file.look();
    let counted = file.counted;
    file.leave();
    counted
}

fn one_close() {
    let number = Number::new();
    let calls = [
        thread::spawn(|| call(number)),
        thread::spawn(|| call(number)),
    ];
    number.close();
    let held = calls.map(|c| c.join().unwrap());
    let made = number.finish();
    assert!(
        made <= usize::from(held.contains(&true)),
        "a file is kept for those who hold it only"
    );
}

fn two_closes() {
    let number = Number::new();
    let closer = thread::spawn(|| number.close());
    let other = thread::spawn(|| call(number));
    number.close();
    closer.join().unwrap();
    let held = other.join().unwrap();
    assert!(number.finish() <= usize::from(held));
    assert_eq!(number.entry.generation(), 2);
}

#[test]
fn the_last_user_closes_the_duplicate() {
    check(one_close);
}

#[test]
fn two_closes_keep_a_file_once() {
    check(two_closes);
}

#[test]
#[should_panic(expected = "a user is still counted")]
fn a_generation_changed_outside_the_lock_leaves_a_user_counted() {
    check_with(Fault::GenerationOutsideLock, one_close);
}

#[test]
#[should_panic]
fn a_count_apart_from_its_generation_is_wrong() {
    check_with(Fault::CountApart, one_close);
}

#[test]
#[should_panic(expected = "a call waits for what it has tried")]
fn a_call_that_begins_while_the_number_changes_waits_for_the_wrong_file() {
    check_with(Fault::JoinsBetween, one_close);
}

#[test]
#[should_panic]
fn closes_that_do_not_wait_for_each_other_keep_the_wrong_file() {
    check_with(Fault::ClosesTogether, two_closes);
}
