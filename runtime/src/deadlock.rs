//! Deadlocks: with `COOP_DEADLOCK=report`, who waits for whom is written down when nothing can go on any more.
//!
//! That is so when every task waits for a private futex, without a deadline: then no timer, descriptor, child, pool thread or other process
//! will wake any. Only a signal's handler could, and the report says so. The receiver looks when it finds all hubs asleep and is
//! about to sleep itself; what it finds is reported once, and nothing else changes.
//!
//! A futex does not say who holds it. For libc's locks the words around it do: a mutex and a rwlock have their owner's id next to it, robust
//! and priority-inheriting mutexes in it, and who joins a thread waits on the word with that thread's id. A condition variable, a
//! semaphore or a barrier has no owner.

use crate::places::{self, Place};
use crate::task::{self, Task};
use crate::{config, hub};
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many tasks outside of cycles are shown.
const SHOWN: usize = 32;
/// How long a cycle may be.
const LONGEST: usize = 64;

/// What a futex is, as far as that can be told, and who must let go of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Thing {
    Mutex(i32),
    Rwlock(i32),
    End(i32),
    Unknown,
}

impl Thing {
    fn owner(self) -> Option<i32> {
        match self {
            Self::Mutex(id) | Self::Rwlock(id) | Self::End(id) => Some(id),
            Self::Unknown => None,
        }
    }

    /// Looks at a futex and the words behind it.
    fn at(address: usize) -> Self {
        const TID: u32 = 0x3fff_ffff;
        let word = |offset: usize| {
            let mut bytes = [0; 4];
            let there = places::peek(address.wrapping_add(offset), &mut bytes) == Ok(4);
            if there {
                u32::from_ne_bytes(bytes)
            } else {
                0
            }
        };
        let task = |id: u32| i32::try_from(id).ok().and_then(task::find);
        let value = word(0);
        if let Some(owner) = task(value & TID) {
            return if owner.clear_tid.get() == address {
                Self::End(owner.id())
            } else {
                Self::Mutex(owner.id())
            };
        }
        // struct __pthread_mutex_s: lock, count, owner.
        if let (1 | 2, Some(owner)) = (value, task(word(8))) {
            return Self::Mutex(owner.id());
        }
        // struct __pthread_rwlock_arch_t: wrphase_futex at 8, writers_futex at 12, cur_writer at 24.
        match task(word(16)).or_else(|| task(word(12))) {
            Some(owner) => Self::Rwlock(owner.id()),
            None => Self::Unknown,
        }
    }
}

/// Whether a task waits for a private futex and for nothing else.
fn waits_for_ever(task: &Task) -> bool {
    i64::from(task.call.load(Ordering::Acquire)) == libc::SYS_futex
        && task.waits_for_futex_alone()
        && !task.turn.is_claimed()
        && task.away.worker() == 0
}

fn progress() -> u64 {
    let switches = hub::all().iter().copied().chain(hub::lone::all());
    let switches = switches.map(|h| h.switches.load(Ordering::SeqCst));
    switches.fold(0, u64::wrapping_add)
}

/// Looks whether anything can still happen, and writes a report if nothing can. By the receiver, inside its section, when all hubs sleep.
pub(crate) fn look() {
    /// What [`progress`] was at the last report, and one more.
    static REPORTED: AtomicU64 = AtomicU64::new(0);
    let before = progress();
    if !config::get().deadlock || REPORTED.load(Ordering::Relaxed) == before + 1 {
        return;
    }
    if !task::all().all(waits_for_ever) || task::alive() == 0 {
        return;
    }
    let text = report();
    // Somebody may have woken up meanwhile: then what was seen is of no worth.
    let mut lone = hub::lone::all();
    if progress() == before
        && hub::all().iter().all(|h| h.is_asleep())
        && lone.all(hub::Hub::is_asleep)
    {
        REPORTED.store(before + 1, Ordering::Relaxed);
        crate::log::emit(&text);
    }
}

fn thing_of(task: &Task) -> Thing {
    Thing::at(usize::try_from(task.waits_on.load(Ordering::Relaxed)).unwrap_or(0))
}

/// The cycle that begins and ends with a task, if it is the lowest of its ids: so each is found once.
fn cycle_of(first: &'static Task) -> Option<Vec<&'static Task>> {
    let mut members = vec![first];
    loop {
        let owner = task::find(thing_of(members[members.len() - 1]).owner()?)?;
        if owner.id() == first.id() {
            return Some(members);
        }
        if owner.id() < first.id() || members.len() == LONGEST {
            return None;
        }
        members.push(owner);
    }
}

fn report() -> String {
    let mut text = format!(
        "libcoop: deadlock: {} for locks and the like, and nothing else is pending; only a signal's handler could end this\n",
        match task::alive() {
            1 => "the only task waits".to_string(),
            n => format!("all {n} tasks wait"),
        }
    );
    let cycles: Vec<_> = task::all().filter_map(cycle_of).collect();
    let mut shown = Vec::new();
    for cycle in &cycles {
        let mut line = String::from("  cycle:");
        for task in cycle {
            let _ = write!(line, " {} →", task.id());
            shown.push(task.id());
        }
        let _ = writeln!(text, "{line} {}", cycle[0].id());
        cycle.iter().for_each(|task| describe(&mut text, task));
    }
    let others = || task::all().filter(|t| !shown.contains(&t.id()));
    for task in others().take(SHOWN) {
        describe(&mut text, task);
    }
    if let Some(more) = others().count().checked_sub(SHOWN + 1) {
        let _ = writeln!(text, "  and {} more", more + 1);
    }
    text
}

fn describe(text: &mut String, task: &'static Task) {
    let address = task.waits_on.load(Ordering::Relaxed);
    let what = match thing_of(task) {
        Thing::Mutex(owner) => format!("the mutex at {address:#x}, which task {owner} holds"),
        Thing::Rwlock(owner) => format!("the rwlock near {address:#x}, which task {owner} holds"),
        Thing::End(other) => format!("the end of task {other}"),
        Thing::Unknown => format!("the futex at {address:#x}"),
    };
    // SAFETY: reads words of a task that is parked; if it is not any more, the report is thrown away.
    let regs = unsafe { (*task.ctx.get()).regs };
    let pc = regs.rip as usize;
    let pc = (hub::crossing().original)(pc).unwrap_or(pc);
    let place = Place::of(places::caller(pc, &[regs.rsp as usize]));
    let (id, name) = (task.id(), task.name_text());
    let _ = writeln!(text, "  task {id} ({name}) waits for {what}, at {place}");
}
