//! Tasks: what threads become.
//!
//! A task is a plain value in one big, lazily populated array: its saved registers, the future it is parked in, and what
//! POSIX says a thread has (id, name, signal mask, robust list). It has no stack in the runtime.
//!
//! Ownership: between [`create`] and [`Task::retire`] a task belongs to its hub. Only the hub's thread touches it, but for
//! the fields that say otherwise (atomics; `signals`, under its lock). Whoever else holds a `&Task` holds something that the
//! task must take back before it can end: a wait node on a queue whose lock its `Drop` takes, or `signals`' lock.

use crate::away::Away;
use crate::context::Context;
use crate::future::Parked;
use crate::hub::{balance, Hub};
use crate::reserve::{drop_pages, Reserve};
use crate::signal::TaskSignals;
use crate::sys;
use crate::turn::Turn;
use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
use std::cell::{Cell, UnsafeCell};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU64, AtomicUsize, Ordering};
use std::sync::Mutex;

/// The lowest task id: above what a kernel ever gives to a process or thread (`PID_MAX_LIMIT`, 2^22), so that an id
/// is never taken for a native one, and below the 30 bits that a futex word has for its owner.
const FIRST_ID: i32 = 1 << 22;
/// How many tasks there can be at once.
pub(crate) const MAX_TASKS: usize = 1 << 21;
/// An id is a slot and a generation, so that ids are not reused at once. Both begin at random, so that tasks of two processes do not have
/// the same ids: locks in shared memory name their owner by it.
const GENERATIONS: i32 = 500;

/// A task. See the module's text for who may touch what.
#[repr(C)]
#[derive(Debug)]
pub struct Task {
    /// The machine's part. First, so that the crossing's pointer is the task's.
    pub ctx: UnsafeCell<Context>,
    /// The next task in the one queue that this task is in: its hub's inbox or ready queue.
    pub(crate) next: AtomicPtr<Task>,
    /// Who may queue the task, and whether a hub has it in hand.
    pub(crate) turn: Turn,
    /// True from creation to retirement; guarded by `signals` for those who are not its hub.
    pub(crate) live: AtomicBool,
    /// The id that `gettid` answers.
    pub id: AtomicI32,
    slot: Cell<usize>,
    generation: Cell<i32>,
    /// The hub that the task belongs to. Changed only by who has claimed the task while it is down ([`Task::move_to`]).
    hub: AtomicPtr<Hub>,
    /// The call that the task is parked in holds nothing of its hub's: no timer, no descriptor.
    pub(crate) portable: Cell<bool>,
    /// The hub of its own to which the task is to move, before anything else. For whoever has claimed it.
    pub(crate) bound: Cell<Option<&'static Hub>>,
    /// How surely the task stops soon after it has woken another; see [`crate::hub::balance`].
    pub(crate) rests: Cell<i8>,
    /// The call that the task is parked in.
    pub(crate) parked: Cell<Option<Parked>>,
    /// The call's number, for dumps; -1 while none.
    pub(crate) call: AtomicI32,
    /// What the task waits for and since when (CLOCK_MONOTONIC ns), for dumps.
    pub(crate) waits_on: AtomicU64,
    pub(crate) waits_since: AtomicU64,
    /// MXCSR and the x87 control word, kept per thread; valid while the task is off the CPU.
    pub(crate) fp: Cell<(u32, u16)>,
    /// The GS base, likewise.
    pub(crate) gs: Cell<u64>,
    /// A signal frame from which the task goes on, instead of from its context: it was preempted, or a handler returned.
    pub(crate) frame: Cell<Option<NonNull<u8>>>,
    /// The worker that has the task, while its hub goes on elsewhere.
    pub(crate) away: Away,
    /// The task crossed there: its call is still to be answered.
    pub(crate) crossed: Cell<bool>,
    /// That frame is on the task's own stack (a handler's, or one for which there was no memory), not a kept copy.
    pub(crate) frame_on_stack: Cell<bool>,
    /// The stack that it was made with, as far as known: (low, high). It may run on others.
    pub(crate) stack: Cell<(usize, usize)>,
    /// Where 0 is stored and a futex woken when the task ends (`set_tid_address`, `CLONE_CHILD_CLEARTID`).
    pub(crate) clear_tid: Cell<usize>,
    /// The part of its stack that the task, which is about to end, wants trimmed: (start, length); see [`crate::trim`].
    pub(crate) trim: Cell<(usize, usize)>,
    /// `SECCOMP_MODE_STRICT`; see `syscalls/strict.rs`.
    pub(crate) strict: Cell<bool>,
    /// The robust futex list's head.
    pub(crate) robust_list: Cell<usize>,
    /// How much CPU time the task was given, in ns; see [`crate::hub::cpu`].
    pub(crate) cpu: AtomicU64,
    /// What getrusage(2) told the task of it last, in µs: all, and the kernel's part.
    pub(crate) usage: Cell<(u64, u64)>,
    /// The priority-inheriting lock that it waits for, for those who follow chains of them (`syscalls/futex/pi.rs`); 0: none.
    pub(crate) wants: AtomicUsize,
    /// `prctl(PR_SET_NAME)`.
    pub(crate) name: Cell<[u8; 16]>,
    /// `sigaltstack`: (sp, size, flags).
    pub(crate) altstack: Cell<(usize, usize, i32)>,
    /// The signal mask in force; changed by the task's hub only, read by senders.
    pub(crate) mask: AtomicU64,
    /// What the task's last change of its mask closed, if that closed all: libc does so before it makes a thread.
    pub(crate) closed: Cell<u64>,
    /// And then it has made one, or been made so: what was open until just before, and opened by both again before any more of the program's
    /// code runs.
    pub(crate) brief: Cell<u64>,
    /// The number of the call in progress.
    pub(crate) call_number: Cell<i32>,
    /// A call that a signal interrupted and that nobody has looked at yet.
    pub(crate) interrupted: Cell<Option<crate::signal::Interrupted>>,
    /// The mask that comes back after a call that has its own.
    pub(crate) restore_mask: Cell<Option<u64>>,
    /// Set when a signal was queued that the task has not looked at.
    pub(crate) signalled: AtomicBool,
    /// Set when a signal came that the task blocks: what it waits for may be a signalfd. See [`crate::signal::lend`].
    pub(crate) news: AtomicBool,
    /// Signals pending for this task.
    pub(crate) signals: Mutex<TaskSignals>,
}

// SAFETY: the cells are touched by the owning hub's thread only (module text); everything else is atomic or locked.
unsafe impl Sync for Task {}

/// Has the cache fetch memory. It may be anywhere: this never faults.
#[inline]
fn fetch(from: *const u8, len: usize) {
    const LINE: usize = 64;
    for line in (0..len).step_by(LINE) {
        let line = from.wrapping_add(line).cast();
        // SAFETY: a hint to the processor.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line) };
    }
}

impl Task {
    /// The hub that the task belongs to.
    pub fn hub(&self) -> &'static Hub {
        // SAFETY: a live task has a hub, and hubs are never freed.
        unsafe { &*self.hub.load(Ordering::Relaxed) }
    }

    /// Whether a signal that the task blocks came since it last asked.
    pub(crate) fn take_news(&self) -> bool {
        self.news.load(Ordering::Acquire) && self.news.swap(false, Ordering::AcqRel)
    }

    /// Whether the task, being down, holds nothing of its hub's, so that another could take it over.
    pub(crate) fn is_portable(&self) -> bool {
        self.parked.get().is_none() || self.portable.get()
    }

    /// Whether the call that the task is parked in waits for a private futex, without a deadline. For reports: what a hub does meanwhile makes
    /// the answer worthless, and no more.
    pub(crate) fn waits_for_futex_alone(&self) -> bool {
        // SAFETY: one byte that is 0 or 1, of a slot that is never unmapped.
        unsafe { self.portable.as_ptr().read_volatile() }
    }

    /// Gives the task to another hub. The caller has claimed it (or taken it out of a queue), has seen it down and
    /// [portable](Task::is_portable), and queues it at that hub next.
    pub(crate) fn move_to(&'static self, hub: &'static Hub) {
        self.hub().load.fetch_sub(1, Ordering::Relaxed);
        hub.load.fetch_add(1, Ordering::Relaxed);
        self.hub
            .store(ptr::from_ref(hub).cast_mut(), Ordering::Relaxed);
    }

    /// The saved registers. Only the owning hub may ask, while the task is off the CPU.
    #[allow(clippy::mut_from_ref)]
    pub(crate) fn context(&self) -> &mut Context {
        // SAFETY: only the hub's thread calls this, for a task that is not running, and it keeps no two references.
        unsafe { &mut *self.ctx.get() }
    }

    /// The task's id as the program sees it.
    pub fn id(&self) -> i32 {
        self.id.load(Ordering::Relaxed)
    }

    /// The task's name, for people.
    pub(crate) fn name_text(&self) -> String {
        String::from_utf8_lossy(&self.name_bytes()).into_owned()
    }

    /// The name, without what fills it up.
    pub(crate) fn name_bytes(&self) -> Vec<u8> {
        let name = self.name.get();
        let len = name.iter().position(|b| *b == 0).unwrap_or(name.len());
        name[..len].to_vec()
    }

    /// Whether from `bottom` up to `top`, where its stack pointer is, all is of the stack that it was made with: a program that switches stacks by itself may
    /// have made them too small for anything below.
    pub(crate) fn has_below(&self, top: usize, bottom: usize) -> bool {
        let (low, high) = self.stack.get();
        (low..=high).contains(&top) && (low..=top).contains(&bottom)
    }

    /// Whether the process's first thread has become this task.
    pub(crate) fn is_main(&self) -> bool {
        self.id() == MAIN.load(Ordering::Relaxed)
    }

    /// Gives the task a name, which ends with a NUL. The main task's is the process's, for whoever looks at it from outside: that of the first
    /// OS thread.
    pub(crate) fn set_name(&self, name: [u8; 16]) {
        self.name.set(name);
        if !self.is_main() {
            return;
        }
        // SAFETY: a file that is opened, written and closed here; without /proc the process keeps its name.
        unsafe {
            let flags = libc::O_WRONLY | libc::O_CLOEXEC;
            let path = c"/proc/self/comm".as_ptr();
            if let Ok(file) = sys!(SYS_openat, libc::AT_FDCWD, path, flags, 0) {
                let _ = sys!(SYS_write, file, name.as_ptr(), name.len());
                let _ = sys!(SYS_close, file);
            }
        }
    }

    /// Makes the task ready: it will look at what it waits for again. A hint: it may find nothing and wait on.
    ///
    /// The caller must hold what keeps the task from ending (see the module's text).
    pub fn wake(&'static self) {
        if self.turn.claim() {
            self.hub().enqueue(self);
        }
    }

    /// Has the cache fetch the task, which comes after the next one. Of thousands of tasks each is far away, and fetched while others run: a
    /// tenth of the CPU time of a server with 1,000 connections.
    pub(crate) fn fetch(&self) {
        fetch(ptr::from_ref(self).cast(), size_of::<Self>());
    }

    /// The same for the next task, which itself is near by now: its call's future, the top of its stack, and what libc looks at first of its thread.
    pub(crate) fn fetch_what_it_uses(&self) {
        /// Where glibc's `struct pthread` has what every cancellation point reads. Elsewhere it is of no use, and does no harm.
        const CANCELHANDLING: usize = 0x308;
        /// What most calls' futures need.
        const FUTURE: usize = 256;
        let context = ptr::from_ref(self).cast::<Context>();
        // SAFETY: a task begins with its context. Whoever writes these words meanwhile: they are but hints.
        let (rsp, fs) = unsafe {
            (
                (&raw const (*context).regs.rsp).read_volatile() as *const u8,
                (&raw const (*context).fs).read_volatile() as *const u8,
            )
        };
        fetch(rsp, 128);
        fetch(fs, 1);
        fetch(fs.wrapping_add(CANCELHANDLING), 1);
        if let Some(parked) = self.parked.get() {
            fetch(parked.place(), FUTURE);
        }
    }

    /// As [`Task::wake`], for a waker that hands something over (a futex, the end of a thread): the task may go on at the waker's hub.
    pub(crate) fn wake_near(&'static self) {
        if self.turn.claim() {
            balance::place(self);
        }
    }

    /// As [`Task::wake_near`], on the thread of this hub.
    pub(crate) fn wake_at(&'static self, here: &'static Hub) {
        if self.turn.claim() {
            balance::place_from(here, self);
        }
    }

    /// Where the extended state of a task is whose context says `full`, in XSAVE format.
    #[inline]
    pub(crate) fn extended(&self) -> NonNull<u8> {
        crate::extended::area(self.slot.get())
    }

    /// The number of the slot, for debuggers.
    pub fn index(&self) -> usize {
        self.slot.get()
    }

    /// Ends the task, which was counted out: from now on nobody can find or wake it. Called by its hub, when the task has left every wait queue.
    ///
    /// Gives back the slot at once, or, when a late hint has put the task into a queue, leaves that to whoever takes it out
    /// ([`Task::release`]).
    pub(crate) fn retire(&'static self) {
        {
            let mut signals = lock(&self.signals);
            self.live.store(false, Ordering::Release);
            signals.clear();
        }
        let hub = self.hub();
        hub.load.fetch_sub(1, Ordering::Relaxed);
        // Hints come with what `retire`'s caller gave up or under the lock above, so none can come any more.
        if !self.turn.is_claimed() {
            self.release();
        } else {
            hub.owes();
        }
    }

    /// Gives the slot of a retired task back. The task must not be used after this.
    pub(crate) fn release(&'static self) {
        let mut free = lock(&ARENA.free);
        free.push(self.slot.get());
        let high = ARENA.high.load(Ordering::Relaxed);
        if free.len() + 1 == high && high > 4096 && main().is_some() {
            // All but the main task, in slot 0, have ended: give their memory back. Zeroed slots are what fresh ones look like,
            // and those that share a page with slot 0 are retired ones.
            ARENA.generation.fetch_add(1, Ordering::Relaxed);
            ARENA.high.store(1, Ordering::Release);
            *free = Vec::new();
            let base = ARENA.base() as usize;
            let from = (base + std::mem::size_of::<Task>()).next_multiple_of(4096);
            let len = high * std::mem::size_of::<Task>() - (from - base);
            // SAFETY: no slot there is in use and the lock keeps new tasks out.
            let _ = unsafe { drop_pages(from, len) };
            crate::extended::clear_areas();
        }
    }
}

struct Arena {
    array: Reserve,
    /// Slots below this were used at least once.
    high: AtomicUsize,
    alive: AtomicUsize,
    generation: AtomicI32,
    /// What is added to a slot to make an id of it.
    shift: AtomicUsize,
    free: Mutex<Vec<usize>>,
}

static ARENA: Arena = Arena {
    array: Reserve::none(),
    high: AtomicUsize::new(0),
    alive: AtomicUsize::new(0),
    generation: AtomicI32::new(0),
    shift: AtomicUsize::new(0),
    free: Mutex::new(Vec::new()),
};

impl Arena {
    fn base(&self) -> *mut Task {
        self.array.start() as *mut Task
    }

    fn slot(&self, index: usize) -> &'static Task {
        // SAFETY: the array is mapped for ever and zero is a valid Task (see `create`); index < MAX_TASKS by the callers.
        unsafe { &*self.base().add(index) }
    }
}

/// A mutex whose poison is no news here: nothing panics under a lock and goes on.
pub(crate) fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(|e| e.into_inner())
}

fn shifted(slot: usize) -> usize {
    (slot + ARENA.shift.load(Ordering::Relaxed)) % MAX_TASKS
}

fn unshifted(number: usize) -> usize {
    (number + MAX_TASKS - ARENA.shift.load(Ordering::Relaxed)) % MAX_TASKS
}

/// Reserves the array, and gives ids a new beginning. Called at conversion, before the first task; a forked child has the array already.
///
/// # Errors
/// The kernel's, when the reservation is refused.
pub fn reserve() -> Result<(), crate::sys::Errno> {
    // A task is touched alone, where a huge page would hold thousands; and a forked child has none of them.
    let advice = [libc::MADV_NOHUGEPAGE, libc::MADV_WIPEONFORK];
    ARENA.array.make(MAX_TASKS * size_of::<Task>(), &advice)?;
    // If it is not filled (early at boot), a forked process still differs by its id.
    let mut random = [crate::sys::process_id() as u32, 0];
    // SAFETY: fills the buffer.
    let _ = unsafe { crate::sys!(SYS_getrandom, random.as_mut_ptr(), 8, libc::GRND_NONBLOCK) };
    ARENA
        .shift
        .store(random[0] as usize % MAX_TASKS, Ordering::Relaxed);
    #[allow(clippy::cast_possible_wrap)]
    let generation = (random[1] >> 8) as i32 % GENERATIONS;
    ARENA.generation.store(generation, Ordering::Relaxed);
    Ok(())
}

/// Makes a task on a hub, not yet ready to run. `id`: the one it must have (the main task), or a new one.
///
/// Gives `None` when there are too many.
pub(crate) fn create(hub: &'static Hub, id: Option<i32>, mask: u64) -> Option<&'static Task> {
    if crate::heap::is_scarce() {
        return None;
    }
    let index = {
        let mut free = lock(&ARENA.free);
        match free.pop() {
            Some(index) => index,
            None => {
                let next = ARENA.high.load(Ordering::Relaxed);
                if next == MAX_TASKS
                    || !ARENA.array.has((next + 1) * size_of::<Task>())
                    || !crate::extended::has_area(next)
                {
                    return None;
                }
                ARENA.high.store(next + 1, Ordering::Release);
                next
            }
        }
    };
    let task = ARENA.slot(index);
    // A slot is zeroed memory or a retired task's. All-zero is a valid value of every field: null pointers, None (a niche of
    // NonNull), false, an unlocked empty Mutex whose contents `signals.clear()` left or that zero makes empty.
    task.slot.set(index);
    let generation = (task.generation.get() + 1) % GENERATIONS;
    task.generation.set(generation);
    let salt = (generation + ARENA.generation.load(Ordering::Relaxed)) % GENERATIONS;
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let fresh = FIRST_ID + salt * MAX_TASKS as i32 + shifted(index) as i32;
    let context = task.ctx.get();
    // SAFETY: nobody else knows the slot yet; Context is plain data.
    unsafe { context.write(std::mem::zeroed()) };
    task.hub
        .store(ptr::from_ref(hub).cast_mut(), Ordering::Relaxed);
    task.turn.reset();
    task.rests.set(0);
    task.bound.set(None);
    task.next.store(ptr::null_mut(), Ordering::Relaxed);
    task.call.store(-1, Ordering::Relaxed);
    task.waits_on.store(0, Ordering::Relaxed);
    task.fp.set(crate::extended::INITIAL_FP);
    task.gs.set(0);
    task.frame.set(None);
    task.frame_on_stack.set(false);
    task.stack.set((0, 0));
    task.away.reset();
    task.crossed.set(false);
    task.clear_tid.set(0);
    task.trim.set((0, 0));
    task.strict.set(false);
    task.robust_list.set(0);
    task.wants.store(0, Ordering::Relaxed);
    task.cpu.store(0, Ordering::Relaxed);
    task.usage.set((0, 0));
    task.altstack.set((0, 0, libc::SS_DISABLE));
    task.mask.store(mask, Ordering::Relaxed);
    task.closed.set(0);
    task.brief.set(0);
    task.interrupted.set(None);
    task.restore_mask.set(None);
    task.signalled.store(false, Ordering::Relaxed);
    task.news.store(false, Ordering::Relaxed);
    hub.load.fetch_add(1, Ordering::Relaxed);
    ARENA.alive.fetch_add(1, Ordering::AcqRel);
    let signals = lock(&task.signals);
    task.id.store(id.unwrap_or(fresh), Ordering::Relaxed);
    task.live.store(true, Ordering::Release);
    drop(signals);
    Some(task)
}

/// Counts a task out that is about to end, unless it is the last one. In one step, so that of two that end at once on two hubs one
/// knows that it is the last.
pub(crate) fn count_out_unless_last() -> bool {
    let one_less = |alive: usize| (alive > 1).then(|| alive - 1);
    ARENA
        .alive
        .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less)
        .is_ok()
}

/// How many tasks are alive.
pub fn alive() -> usize {
    ARENA.alive.load(Ordering::Acquire)
}

/// Every task that was alive at some time during the walk.
pub fn all() -> impl Iterator<Item = &'static Task> {
    let high = if ARENA.base().is_null() {
        0
    } else {
        ARENA.high.load(Ordering::Acquire)
    };
    (0..high)
        .map(|i| ARENA.slot(i))
        .filter(|t| t.live.load(Ordering::Acquire))
}

/// The task with this id, if it is alive. It may end at any time unless the caller is on its hub: to act on it,
/// lock its `signals` and look at `live` and `id` again.
pub fn find(id: i32) -> Option<&'static Task> {
    let index = if id >= FIRST_ID {
        unshifted(usize::try_from(id - FIRST_ID).ok()? % MAX_TASKS)
    } else if id > 0 && id == MAIN.load(Ordering::Relaxed) {
        0
    } else {
        return None;
    };
    if ARENA.base().is_null() || index >= ARENA.high.load(Ordering::Acquire) {
        return None;
    }
    let task = ARENA.slot(index);
    (task.id() == id && task.live.load(Ordering::Acquire)).then_some(task)
}

/// The id of the main task: the process id. It has slot 0, as it is made first.
pub(crate) static MAIN: AtomicI32 = AtomicI32::new(0);

/// The main task, while it is alive.
pub(crate) fn main() -> Option<&'static Task> {
    find(MAIN.load(Ordering::Relaxed))
}

/// Where debuggers find the tasks: (array, bytes a task, slots used, offsets).
#[repr(C)]
#[derive(Debug)]
#[allow(missing_docs)]
pub struct Layout {
    pub base: &'static AtomicUsize,
    pub high: &'static AtomicUsize,
    pub size: usize,
    pub live: usize,
    pub id: usize,
    pub name: usize,
    pub call: usize,
    pub waits_on: usize,
    pub waits_since: usize,
    pub hub: usize,
    pub regs: usize,
    pub fs: usize,
    pub frame: usize,
    pub hub_index: usize,
    pub hub_tid: usize,
    pub hub_current: usize,
}

// SAFETY: plain data and references to atomics.
unsafe impl Sync for Layout {}

/// The layout that `coop-gdb.py` reads; the shim exports it.
pub const LAYOUT: Layout = Layout {
    base: ARENA.array.start_word(),
    high: &ARENA.high,
    size: std::mem::size_of::<Task>(),
    live: std::mem::offset_of!(Task, live),
    id: std::mem::offset_of!(Task, id),
    name: std::mem::offset_of!(Task, name),
    call: std::mem::offset_of!(Task, call),
    waits_on: std::mem::offset_of!(Task, waits_on),
    waits_since: std::mem::offset_of!(Task, waits_since),
    hub: std::mem::offset_of!(Task, hub),
    regs: 0,
    fs: std::mem::offset_of!(Context, fs),
    frame: std::mem::offset_of!(Task, frame),
    hub_index: std::mem::offset_of!(Hub, index),
    hub_tid: std::mem::offset_of!(Hub, tid),
    hub_current: std::mem::offset_of!(Hub, current),
};

/// In a forked child that begins anew: no tasks. The array is empty again: the kernel did not copy it, or it is given back here.
pub(crate) fn forget_all() {
    ARENA.array.clear();
    ARENA.alive.store(0, Ordering::Release);
    ARENA.high.store(0, Ordering::Release);
    MAIN.store(0, Ordering::Relaxed);
    lock(&ARENA.free).clear();
}
