//! Workers: the OS threads that run hubs.
//!
//! A worker has what the kernel and the CPU keep for a thread: the gate (Syscall User Dispatch and the crossing know its address), the
//! alternate signal stack, floating-point modes. A hub has everything else. Workers are never freed: a task's context may name one
//! for as long as the task runs there.

use super::{crossing, lone, Hub};
use crate::context::Gate;
use crate::task::Task;
use crate::{extended, own, signal, sys};
use std::cell::Cell;
use std::ptr::{self, NonNull};
use std::sync::atomic::{
    compiler_fence, AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicU64, AtomicU8, AtomicUsize,
    Ordering,
};

/// The most workers there can be.
pub(super) const MAX: usize = 512;

/// A worker. Its gate comes first: the handler of [`signal::KICK`] gets from the one to the other.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Worker {
    /// Between the thread's hub and the task that it runs.
    pub(crate) gate: Gate,
    tid: AtomicI32,
    /// A kick for a signal's sake is on its way to the thread. Others that come before it has struck would be frames on its stack, and no more.
    pub(crate) kicked: AtomicBool,
    /// 1 while the thread waits in the kernel and touches nothing shared. (2 in `Gate::in_program` would disturb the kernel's selector.)
    pub(super) resting: AtomicU8,
    /// The descriptor that a call uses this moment for the file it began with, or -1: see [`crate::syscalls::close`].
    pub(crate) uses: AtomicI32,
    /// How many numbers it is about to close or replace this moment: see [`crate::own::Changing`].
    pub(crate) changes: AtomicU32,
    /// MXCSR and x87 control word that the CPU has now.
    fp: Cell<(u32, u16)>,
    /// The GS base that it has.
    gs: Cell<u64>,
    /// The alternate signal stack that the kernel has for this thread: (sp, size). Tasks' own are known to [`signal`] alone.
    signal_stack: Cell<(usize, usize)>,
    /// Where a preempted task's frame is copied to, by the signal handler; [`signal::preempt::keep`] takes it and puts a new one. None while the task that
    /// runs has the only one that there is memory for.
    pub(crate) spare_frame: Cell<Option<NonNull<u8>>>,
    /// The hub that the thread runs, or ran last.
    pub(super) hub: AtomicPtr<Hub>,
    /// Whether the thread has its hub; see [`super::relief`].
    pub(super) taken: AtomicU32,
    /// Since when it has been without (CLOCK_MONOTONIC ns), for the log.
    pub(super) away_since: AtomicU64,
    /// How much of the CPU time that the thread has used was given to tasks, or to nobody; see [`super::cpu`].
    pub(super) given: AtomicU64,
    /// `/proc/self/task/TID/syscall`: what the thread is blocked in. -1 for a lone hub's, which is not relieved.
    calls: i32,
}

// SAFETY: what is not atomic or locked is touched by the worker's own thread only.
unsafe impl Sync for Worker {}

static WORKERS: [AtomicPtr<Worker>; MAX] = [const { AtomicPtr::new(ptr::null_mut()) }; MAX];
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Those of lone hubs, by slot, while their threads live. Slots from `ALONE_HIGH` on were never used.
static ALONE: [AtomicPtr<Worker>; lone::MOST] =
    [const { AtomicPtr::new(ptr::null_mut()) }; lone::MOST];
static ALONE_HIGH: AtomicUsize = AtomicUsize::new(0);

/// All workers that there are.
pub(crate) fn all() -> impl Iterator<Item = &'static Worker> {
    let count = COUNT.load(Ordering::SeqCst).min(MAX);
    let alone = &ALONE[..ALONE_HIGH.load(Ordering::SeqCst)];
    // SAFETY: null, or a worker, which is never freed.
    WORKERS[..count]
        .iter()
        .chain(alone)
        .filter_map(|w| unsafe { w.load(Ordering::SeqCst).as_ref() })
}

/// A lone hub's thread is no worker any more.
pub(super) fn leave_alone(slot: usize) {
    ALONE[slot].store(ptr::null_mut(), Ordering::SeqCst);
}

/// How many there are.
pub(super) fn count() -> usize {
    COUNT.load(Ordering::SeqCst)
}

/// In a forked child: their threads do not exist.
pub(super) fn forget_all() {
    let alone = &ALONE[..ALONE_HIGH.swap(0, Ordering::SeqCst)];
    for worker in WORKERS.iter().chain(alone) {
        worker.store(ptr::null_mut(), Ordering::SeqCst);
    }
    COUNT.store(0, Ordering::SeqCst);
}

/// Where in the kernel a thread is blocked.
#[derive(Debug)]
pub(super) struct Blocked {
    /// The system call; -1: none (a page fault).
    pub(super) call: i32,
    /// Where the thread was in user space.
    pub(super) sp: usize,
    pub(super) pc: usize,
}

impl Blocked {
    /// As `/proc/PID/syscall` says it: "running", or the call's number and arguments in hexadecimal, or -1, and at last sp and pc.
    fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split_ascii_whitespace();
        let call = fields.next()?.parse().ok()?;
        let mut hex = fields
            .rev()
            .map(|f| usize::from_str_radix(f.trim_start_matches("0x"), 16).ok());
        let (pc, sp) = (hex.next()??, hex.next()??);
        Some(Self { call, sp, pc })
    }
}

impl Worker {
    /// Makes a worker of the calling thread.
    ///
    /// # Panics
    /// When there are too many: hubs alone are fewer.
    pub(super) fn enter() -> &'static Self {
        let tid = sys::thread_id();
        let worker: &'static Self = Box::leak(Box::new(Self::new(open_calls())));
        let at = COUNT.fetch_add(1, Ordering::SeqCst);
        worker.begin(tid, &WORKERS[at]);
        worker
    }

    /// Makes the worker of a lone hub, with this slot, of the calling thread. It has the memory of the slot's last one.
    pub(super) fn enter_alone(slot: usize) -> &'static Self {
        /// Kept when [`leave_alone`] has taken them out.
        static MADE: [AtomicPtr<Worker>; lone::MOST] =
            [const { AtomicPtr::new(ptr::null_mut()) }; lone::MOST];
        // SAFETY: null, or a worker, which is never freed, and whose thread has ended.
        let made = unsafe { MADE[slot].load(Ordering::Acquire).as_ref() };
        let worker = made.unwrap_or_else(|| {
            let worker = Box::leak(Box::new(Self::new(-1)));
            MADE[slot].store(worker, Ordering::Release);
            worker
        });
        ALONE_HIGH.fetch_max(slot + 1, Ordering::SeqCst);
        worker.resting.store(0, Ordering::SeqCst);
        worker.begin(sys::thread_id(), &ALONE[slot]);
        worker
    }

    fn new(calls: i32) -> Self {
        Self {
            gate: Gate {
                rsp: Cell::new(0),
                fs: Cell::new(0),
                in_program: 0.into(),
            },
            tid: AtomicI32::new(0),
            kicked: AtomicBool::new(false),
            hub: AtomicPtr::new(ptr::null_mut()),
            taken: AtomicU32::new(0),
            away_since: AtomicU64::new(0),
            given: AtomicU64::new(0),
            calls,
            resting: AtomicU8::new(0),
            uses: AtomicI32::new(-1),
            changes: AtomicU32::new(0),
            fp: Cell::new((0, 0)),
            gs: Cell::new(0),
            signal_stack: Cell::new((0, 0)),
            spare_frame: Cell::new(signal::preempt::allocate()),
        }
    }

    /// What the calling thread is from now on is known to all who look at `place`.
    fn begin(&'static self, tid: i32, place: &AtomicPtr<Self>) {
        self.tid.store(tid, Ordering::Relaxed);
        self.given.store(self.cpu_time(), Ordering::Relaxed);
        self.fp.set(extended::control());
        self.gs.set(extended::gs());
        place.store(ptr::from_ref(self).cast_mut(), Ordering::SeqCst);
        signal::block_in_hub();
        crate::everywhere::register_unless_known(tid);
        (crossing().enter_hub)(&self.gate);
        let mut stack = libc::stack_t {
            ss_sp: ptr::null_mut(),
            ss_flags: 0,
            ss_size: 0,
        };
        // SAFETY: reads this thread's alternate stack.
        let _ = unsafe { sys!(SYS_sigaltstack, 0, &mut stack) };
        let own = if stack.ss_flags & libc::SS_DISABLE != 0 {
            (0, 0)
        } else {
            (stack.ss_sp as usize, stack.ss_size)
        };
        self.signal_stack.set(own);
    }

    /// Gives the thread its signal stack again, after the kernel had another for it.
    pub(crate) fn restore_signal_stack(&self) {
        let (sp, size) = self.signal_stack.get();
        let stack = libc::stack_t {
            ss_sp: sp as *mut libc::c_void,
            ss_flags: if size == 0 { libc::SS_DISABLE } else { 0 },
            ss_size: size,
        };
        // SAFETY: the thread's own, mapped as long as the thread runs.
        let _ = unsafe { sys!(SYS_sigaltstack, &stack, 0) };
    }

    /// The thread is about to end, and takes no signals any more.
    pub(super) fn give_signal_stack_back(&self) {
        let (sp, size) = self.signal_stack.replace((0, 0));
        self.restore_signal_stack();
        if size != 0 {
            // SAFETY: mapped for this thread alone (`Crossing::enter_hub`), and not in use.
            let _ = unsafe { sys!(SYS_munmap, sp, size) };
        }
    }

    /// Runs `f`, a system call of the task's, as the program does: it may wait, and a kick reaches it.
    pub(crate) fn outside<T>(&self, f: impl FnOnce() -> T) -> T {
        self.kicked.store(false, Ordering::Relaxed);
        self.gate.in_program.store(1, Ordering::Release);
        let result = f();
        self.gate.in_program.store(0, Ordering::Release);
        compiler_fence(Ordering::SeqCst);
        super::world::pause_point(self);
        result
    }

    /// The kernel's id of the thread.
    pub(crate) fn tid(&self) -> i32 {
        self.tid.load(Ordering::Relaxed)
    }

    /// How long the thread has run on a CPU, in ns; 0 if it has ended.
    pub(super) fn cpu_time(&self) -> u64 {
        // CPUCLOCK_SCHED of one thread: what pthread_getcpuclockid(3) makes.
        sys::cpu_time(!self.tid() << 3 | 6)
    }

    /// What the thread is blocked in, if it is, in the kernel.
    pub(super) fn blocked(&self) -> Option<Blocked> {
        let mut text = [0u8; 256];
        // SAFETY: reads into the buffer.
        let got = unsafe { sys!(SYS_pread64, self.calls, text.as_mut_ptr(), text.len(), 0) };
        Blocked::parse(std::str::from_utf8(&text[..got.ok()?]).ok()?)
    }

    /// From here until the next crossing the program runs.
    #[inline]
    pub(super) fn go(&self, task: &'static Task) {
        let context = task.context();
        context.gate = &raw const self.gate;
        // It may have struck the runtime, to no effect.
        self.kicked.store(false, Ordering::Relaxed);
        let crossing = crossing();
        if let Some(frame) = task.frame.take() {
            signal::preempt::resume(task, self, frame);
        } else {
            if context.full != 0 {
                // SAFETY: `full` says that `save` filled the area below, at the last crossing.
                unsafe { extended::restore(task.extended()) };
            }
            // SAFETY: the task is off the CPU and its context is complete; its gate is this thread's.
            unsafe { crossing.run(context) };
        }
        if context.full != 0 {
            // SAFETY: the task's own area.
            unsafe { extended::save(task.extended()) };
        }
    }

    /// Loads what is per thread but not in the context, when a task comes to the CPU.
    pub(super) fn load_state(&self, task: &'static Task) {
        if task.fp.get() != self.fp.get() {
            extended::set_control(task.fp.get());
            self.fp.set(task.fp.get());
        }
        if task.gs.get() != self.gs.get() {
            extended::set_gs(task.gs.get());
            self.gs.set(task.gs.get());
        }
    }

    /// Keeps what [`Worker::load_state`] loads, when a task leaves the CPU.
    pub(super) fn store_state(&self, task: &'static Task) {
        let fp = extended::control();
        self.fp.set(fp);
        task.fp.set(fp);
        let gs = extended::gs();
        self.gs.set(gs);
        task.gs.set(gs);
    }

    /// Notes what an ended task left on the CPU.
    pub(super) fn forget_state(&self) {
        self.fp.set(extended::control());
        self.gs.set(extended::gs());
    }

    /// Whether a task that runs here can be preempted and told of faults.
    #[inline]
    pub(crate) fn has_spare_frame(&self) -> bool {
        self.spare_frame.get().is_some()
    }

    /// Where the kernel runs the library's handlers on this thread: (sp, size).
    pub(crate) fn signal_stack(&self) -> (usize, usize) {
        self.signal_stack.get()
    }
}

/// Of the calling thread. -1: nobody can tell what it is blocked in.
fn open_calls() -> i32 {
    own::open(c"/proc/thread-self/syscall")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thread_is_blocked_in() {
        let text = "16 0x3 0x5401 0x0 0x0 0x0 0x0 0x7ffd10 0x7f12ab\n";
        let b = Blocked::parse(text).unwrap();
        assert_eq!((b.call, b.sp, b.pc), (16, 0x7ffd10, 0x7f12ab));
        let fault = Blocked::parse("-1 0x7ffd10 0x401000\n").unwrap();
        assert_eq!((fault.call, fault.pc), (-1, 0x401000));
        assert!(Blocked::parse("running\n").is_none());
        assert!(Blocked::parse("").is_none());
    }
}
