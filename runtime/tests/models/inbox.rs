//! The inbox and the hub's sleep: no wake-up is lost, and one ring is enough.
//!
//! A lost wake-up is a deadlock to loom: the hub waits for a bell that nobody rings. Besides the fault below, these changes of
//! `hub/inbox.rs` were tried, and each was found: `fall_asleep` without its look at `head`; `must_ring` before the node is in;
//! `take` with a relaxed swap; `must_ring` without its swap (two ring).

use crate::bell::Bell;
use crate::real_inbox::{Inbox, Node};
use crate::seq_cst::{AtomicBool, AtomicPtr, Ordering};
use crate::{check, check_with, leak, Fault};
use loom::cell::Cell;
use loom::thread;
use std::ptr;

struct Letter {
    next: AtomicPtr<Letter>,
    text: Cell<u32>,
}

impl Node for Letter {
    fn next(&self) -> &AtomicPtr<Self> {
        &self.next
    }
}

fn letter() -> &'static Letter {
    leak(Letter {
        next: AtomicPtr::new(ptr::null_mut()),
        text: Cell::new(0),
    })
}

struct Hub {
    inbox: Inbox<Letter>,
    has_news: AtomicBool,
    bell: Bell,
}

impl Hub {
    fn new() -> &'static Self {
        leak(Self {
            inbox: Inbox::default(),
            has_news: AtomicBool::new(false),
            bell: Bell::new(),
        })
    }

    /// `Hub::enqueue`, from another thread.
    fn send(&self, text: u32) {
        let letter = letter();
        letter.text.set(text);
        if self.inbox.push(letter) {
            self.bell.ring();
        }
    }

    /// `Hub::tell`.
    fn tell(&self) {
        self.has_news.store(true, Ordering::SeqCst);
        if self.inbox.must_ring() {
            self.bell.ring();
        }
    }

    /// `Hub::wait`, when no task is ready.
    fn wait(&self) {
        if !self.inbox.fall_asleep() {
            return;
        }
        if self.has_news.load(Ordering::SeqCst) {
            return self.inbox.wake_up();
        }
        self.bell.wait();
        self.inbox.wake_up();
    }
}

fn letters() {
    let hub = Hub::new();
    thread::spawn(|| {
        hub.send(1);
        hub.send(2);
    });
    thread::spawn(|| hub.send(3));
    let mut texts = Vec::new();
    loop {
        hub.inbox.take(|letter| texts.push(letter.text.get()));
        if texts.len() == 3 {
            break;
        }
        hub.wait();
    }
    texts.retain(|text| *text != 3);
    assert_eq!(
        texts,
        [1, 2],
        "a sender's letters came, once each, in their order"
    );
}

fn news() {
    let hub = Hub::new();
    thread::spawn(|| hub.tell());
    while !hub.has_news.load(Ordering::SeqCst) {
        hub.wait();
    }
}

#[test]
fn no_letter_is_lost() {
    check(letters);
}

#[test]
fn no_news_is_lost() {
    check(news);
}

#[test]
fn one_of_those_who_find_the_hub_asleep_rings() {
    check(|| {
        let hub = Hub::new();
        assert!(hub.inbox.fall_asleep());
        let one = thread::spawn(|| hub.inbox.push(letter()));
        let other = thread::spawn(|| hub.inbox.push(letter()));
        let rings = [
            one.join().unwrap(),
            other.join().unwrap(),
            hub.inbox.must_ring(),
        ];
        assert_eq!(rings.iter().filter(|r| **r).count(), 1, "{rings:?}");
    });
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_sequential_consistency_a_letter_is_lost() {
    check_with(Fault::NotSeqCst, letters);
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_sequential_consistency_news_are_lost() {
    check_with(Fault::NotSeqCst, news);
}
