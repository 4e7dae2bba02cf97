//! A system call made on every thread of the runtime: for what the kernel keeps for each thread and the program has once.
//!
//! Credentials are such a thing. libc makes setuid(2) and its kin the process's by a protocol of its own: every thread makes the call in
//! the handler of a signal. But its threads are tasks. Hubs without tasks, pool threads, carriers and the receiver never hear of it,
//! and what they did later for a task would be done with the rights of before.
//!
//! It works like a kernel's call to all its processors. The caller holds [`ORDER`]'s lock, writes the call down, marks every registered
//! thread and sends it [`signal::KICK`]. Each makes the call in the handler of that signal, wherever it is, and counts itself out; the
//! caller waits for the count. A thread's slot in the [register](REGISTER) is given before it starts and taken back by the kernel when it
//! has ended, so no thread is missed: the lock keeps new ones out meanwhile.
//!
//! The receiver has the signal blocked while it waits for others, and looks by itself. A carrier in a window cannot answer (the kernel
//! has it suspended, or it is about to be another program, which the signal would kill): it gets a mark only, and ends after its window.

use crate::signal;
use crate::spin;
use crate::sys;
use crate::sys::{Errno, SysResult};
use crate::task::lock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

/// As many as there can be workers, pool threads and carriers.
const MOST: usize = 1 << 15;

/// A thread of the runtime's.
#[derive(Debug)]
struct Entry {
    /// The kernel's id; 0: none. The kernel clears it when the thread has ended (`CLONE_CHILD_CLEARTID`), but for those that [`crate::thread`] did not make.
    tid: AtomicI32,
    /// [`FREE`], or any of [`WINDOWED`], [`MARKED`], [`BRIEF`] and [`ENDING`].
    state: AtomicU8,
}

/// A thread to which the order may be given by a signal, and that has none.
const FREE: u8 = 0;
/// A carrier in a window, or a thread that ends: it gets no signal.
const WINDOWED: u8 = 1;
/// There is an order for the thread.
const MARKED: u8 = 2;
/// In a window that is soon over: orders wait for its end.
const BRIEF: u8 = 4;
/// The thread ends: to the program it has.
const ENDING: u8 = 8;

static REGISTER: [Entry; MOST] = [const {
    Entry {
        tid: AtomicI32::new(0),
        state: AtomicU8::new(FREE),
    }
}; MOST];
/// Entries from here on were never used.
static HIGH: AtomicUsize = AtomicUsize::new(0);

/// The call in progress. Its lock is also held to enter a thread, and to go into a window.
static ORDER: Mutex<()> = Mutex::new(());
static NUMBER: AtomicUsize = AtomicUsize::new(0);
static ARGUMENTS: [AtomicUsize; 6] = [const { AtomicUsize::new(0) }; 6];
/// How many threads have not answered yet: a futex word.
static LEFT: AtomicU32 = AtomicU32::new(0);
/// A thread got another result than the caller.
static DIFFERS: AtomicBool = AtomicBool::new(false);
/// The result that all must have.
static EXPECTED: AtomicUsize = AtomicUsize::new(0);

/// Room for a thread that is about to be made; while it is held no order is given.
#[derive(Debug)]
pub(crate) struct Room {
    at: usize,
    _lock: MutexGuard<'static, ()>,
}

impl Room {
    /// # Errors
    /// `EAGAIN` when there are too many threads. For the receiver also while there is an order: who gave it waits for the receiver.
    pub(crate) fn take() -> Result<Self, Errno> {
        let lock = match ORDER.try_lock() {
            Ok(lock) => lock,
            Err(_) if sys::thread_id() == signal::receiver::tid() => return Err(Errno::AGAIN),
            Err(_) => lock(&ORDER),
        };
        let high = HIGH.load(Ordering::Relaxed);
        let free = REGISTER[..high]
            .iter()
            .position(|e| e.tid.load(Ordering::Acquire) == 0);
        let at = free.unwrap_or(high);
        if at == MOST {
            return Err(Errno::AGAIN);
        }
        HIGH.store(high.max(at + 1), Ordering::Release);
        REGISTER[at].state.store(FREE, Ordering::Relaxed);
        Ok(Self { at, _lock: lock })
    }

    /// The word into which the kernel writes the thread's id, and 0 when it has ended.
    pub(crate) fn word(&self) -> &'static AtomicI32 {
        &REGISTER[self.at].tid
    }
}

/// Enters a thread that was not made by [`crate::thread::spawn`], and never ends.
pub fn register_unless_known(tid: i32) {
    if find(tid).is_some() {
        return;
    }
    if let Ok(room) = Room::take() {
        room.word().store(tid, Ordering::Release);
    }
}

/// Those that there are, and some that are free.
fn entries() -> &'static [Entry] {
    &REGISTER[..HIGH.load(Ordering::Acquire)]
}

/// The ids of all OS threads, for who cannot take a lock.
pub(crate) fn ids() -> impl Iterator<Item = i32> {
    entries()
        .iter()
        .map(|e| e.tid.load(Ordering::Acquire))
        .filter(|tid| *tid != 0)
}

/// In a forked child that begins anew: no threads but this one, which is native.
pub(crate) fn forget_all() {
    for entry in &REGISTER[..HIGH.swap(0, Ordering::Relaxed)] {
        entry.tid.store(0, Ordering::Relaxed);
    }
}

/// The calling thread is about to end: no order waits for it any more.
pub(crate) fn withdraw() {
    let _order = lock(&ORDER);
    if let Some(entry) = find(sys::thread_id()) {
        entry.state.fetch_or(WINDOWED | ENDING, Ordering::SeqCst);
    }
}

/// Whether some thread of the library's is about to end.
pub(crate) fn is_one_ending() -> bool {
    entries()
        .iter()
        .any(|e| e.tid.load(Ordering::Acquire) != 0 && e.state.load(Ordering::SeqCst) & ENDING != 0)
}

fn find(tid: i32) -> Option<&'static Entry> {
    entries()
        .iter()
        .find(|e| e.tid.load(Ordering::Acquire) == tid)
}

/// Makes a call on the calling thread, and if that succeeds on all others, where it gives the same.
///
/// # Errors
/// The kernel's. Then nothing has changed anywhere.
pub(crate) fn call(number: usize, args: [usize; 6]) -> SysResult {
    let (result, same) = call_compared(number, args)?;
    if !same {
        // As libc does where its threads differ: threads of different rights in one process are worse than no process.
        crate::log::complain(format_args!(
            "a change of credentials failed on some threads only: ending"
        ));
        signal::abort();
    }
    Ok(result)
}

/// As [`call`]; whether all others gave the same.
///
/// # Errors
/// As there.
pub(crate) fn call_compared(number: usize, args: [usize; 6]) -> Result<(usize, bool), Errno> {
    let order = lock(&ORDER);
    // SAFETY: the program's call.
    let own = sys::check(unsafe { sys::syscall_raw(number, args) })?;
    NUMBER.store(number, Ordering::Relaxed);
    for (word, value) in ARGUMENTS.iter().zip(args) {
        word.store(value, Ordering::Relaxed);
    }
    EXPECTED.store(own, Ordering::Relaxed);
    // One for the caller, so that it cannot reach 0 before all are told.
    LEFT.store(1, Ordering::SeqCst);
    let me = sys::thread_id();
    for entry in entries() {
        let tid = entry.tid.load(Ordering::Acquire);
        if tid == 0 || tid == me {
            continue;
        }
        spin::until(|| entry.state.load(Ordering::SeqCst) & BRIEF == 0);
        LEFT.fetch_add(1, Ordering::SeqCst);
        // Carriers that are already in a window look when they leave it; the lock keeps others from going in.
        if entry.state.fetch_or(MARKED, Ordering::SeqCst) & WINDOWED != 0 {
            LEFT.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        // SAFETY: sends a signal to a thread of this process.
        let sent = unsafe { sys!(SYS_tgkill, sys::process_id(), tid, signal::KICK) };
        if sent.is_err() && entry.state.swap(FREE, Ordering::SeqCst) & MARKED != 0 {
            // It has just ended.
            LEFT.fetch_sub(1, Ordering::SeqCst);
        }
    }
    LEFT.fetch_sub(1, Ordering::SeqCst);
    loop {
        let left = LEFT.load(Ordering::SeqCst);
        if left == 0 {
            break;
        }
        sys::futex_wait(&LEFT, left);
    }
    let same = !DIFFERS.swap(false, Ordering::SeqCst);
    drop(order);
    Ok((own, same))
}

/// Carries out the order for the calling thread, if there is one. In the signal handler, too: no locks. True if there was one.
///
/// The signal is blocked afterwards, until the handler has returned: the next order may come as soon as this one is answered, and
/// handlers would pile up on the stack.
pub fn answer() -> bool {
    if LEFT.load(Ordering::SeqCst) == 0 {
        return false;
    }
    let Some(entry) = find(sys::thread_id()) else {
        return false;
    };
    if entry.state.fetch_and(!MARKED, Ordering::SeqCst) & MARKED == 0 {
        return false;
    }
    // SAFETY: reads eight bytes.
    let _ = unsafe {
        sys!(
            SYS_rt_sigprocmask,
            libc::SIG_BLOCK,
            &signal::bit(signal::KICK),
            0,
            8
        )
    };
    let args = [0, 1, 2, 3, 4, 5].map(|i| ARGUMENTS[i].load(Ordering::Relaxed));
    let number = NUMBER.load(Ordering::Relaxed);
    // SAFETY: the program's call, whose maker waits until all have made it.
    let result = sys::check(unsafe { sys::syscall_raw(number, args) });
    if result != Ok(EXPECTED.load(Ordering::Relaxed)) {
        DIFFERS.store(true, Ordering::SeqCst);
    }
    if LEFT.fetch_sub(1, Ordering::SeqCst) == 1 {
        sys::futex_wake(&LEFT, 1);
    }
    true
}

/// While it lives, the calling thread, which is to go on with what it has, tries to become another program: orders wait, as no signal may reach it.
#[derive(Debug)]
pub(crate) struct BriefWindow(&'static Entry);

impl BriefWindow {
    pub(crate) fn enter() -> Option<Self> {
        let order = lock(&ORDER);
        let entry = find(sys::thread_id())?;
        entry.state.fetch_or(BRIEF, Ordering::SeqCst);
        drop(order);
        Some(Self(entry))
    }
}

impl Drop for BriefWindow {
    fn drop(&mut self) {
        self.0.state.fetch_and(!BRIEF, Ordering::SeqCst);
    }
}

/// While it lives, the calling thread is in a window: no order reaches it by a signal.
#[derive(Debug)]
pub(crate) struct Window(&'static Entry);

impl Window {
    pub(crate) fn enter() -> Option<Self> {
        let order = lock(&ORDER);
        let entry = find(sys::thread_id())?;
        entry.state.fetch_or(WINDOWED, Ordering::SeqCst);
        drop(order);
        Some(Self(entry))
    }

    /// Leaves the window. False if an order was missed: then the thread is to end, and no order waits for it any more.
    #[must_use]
    pub(crate) fn leave(self) -> bool {
        let _order = lock(&ORDER);
        let missed = self.0.state.load(Ordering::SeqCst) & MARKED != 0;
        if !missed {
            self.0.state.store(FREE, Ordering::SeqCst);
        }
        !missed
    }
}
