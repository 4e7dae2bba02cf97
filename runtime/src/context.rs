//! What a task is to the machine: its saved registers, and the gate between it and its hub.
//!
//! The crossing (in `shim`, one file per CPU) fills and loads these structs by offset; the runtime reads a call's
//! number and arguments from them and writes its result. Nothing else of a task need be kept while it waits: the rest
//! of its state is its own stack.

use std::cell::Cell;

/// The general registers, in the order in which the crossing saves them.
#[derive(Clone, Copy, Default, Debug)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Registers {
    pub rax: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rdx: u64,
    pub r10: u64,
    pub r8: u64,
    pub r9: u64,
    pub rbx: u64,
    pub rbp: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rsp: u64,
    /// Where the task goes on: the instruction after the one that crossed.
    pub rip: u64,
}

/// A task's saved state between the crossing into the runtime and the one back.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Context {
    /// The general registers.
    pub regs: Registers,
    /// The arithmetic flags, as `lahf; seto %al` leave them in `ax`.
    pub flags: u64,
    /// The task's FS base: its thread pointer.
    pub fs: u64,
    /// The gate of the thread that runs the task. Set whenever the task goes on.
    pub gate: *const Gate,
    /// Non-zero when the site asks that the extended state (ymm, zmm, mask registers) be kept as well.
    pub full: u64,
    /// What the call made in a window gave.
    pub window_result: u64,
    /// xmm0 to xmm15: a syscall keeps them, and compiled runtime code uses them.
    pub xmm: [[u64; 2]; 16],
    /// The signal mask that a child made in a window begins with.
    pub window_mask: u64,
    /// Where a signal that strikes the task in a window is kept. Set while there is one.
    pub window_signal: *mut libc::siginfo_t,
    /// What the call gave that the crossing has answered, until its hub has seen to the rest; see [`crate::syscalls::quick`].
    pub answer: u64,
}

/// What the crossing needs to know of a hub's thread. One per thread.
#[repr(C, align(64))]
#[derive(Debug)]
pub struct Gate {
    /// The hub's stack pointer while a task runs: where its `resume` left off.
    pub rsp: Cell<u64>,
    /// The hub's own FS base.
    pub fs: Cell<u64>,
    /// 1 while program code runs, 0 while the runtime does: the one answer to "are we inside the runtime?".
    ///
    /// It is also the selector byte of Syscall User Dispatch (`SYSCALL_DISPATCH_FILTER_BLOCK` = 1), what a fork waits
    /// on, and what keeps preemption out of the runtime. Written by its own thread only.
    pub in_program: std::sync::atomic::AtomicU8,
}

/// How the runtime uses the crossing; the shim gives one at conversion.
#[derive(Clone, Copy, Debug)]
pub struct Crossing {
    /// Runs a task from its saved context until it crosses again. Call only on the hub's own thread.
    pub resume: unsafe extern "C" fn(*mut Context),
    /// Runs a task from a kernel signal frame that holds all its state (a preempted task), until it crosses again.
    pub resume_frame: unsafe extern "C" fn(*mut Context, frame: usize),
    /// Goes on for good from a kernel signal frame, as a thread of the program's with this thread pointer.
    pub leave: unsafe extern "C" fn(fs: u64, frame: usize) -> !,
    /// Where a task returns to after a signal handler: pops the frame that [`crate::signal`] built.
    pub signal_return: usize,
    /// Where a task makes the call in its registers by itself, outside the runtime, and crosses back if it returns (not 0):
    /// for vfork and exec. See the crossing's "window".
    pub window: usize,
    /// The kernel's handler of the signals for which the program has one.
    pub on_signal: usize,
    /// Where that returns to.
    pub restorer: usize,
    /// Called in a forked child, when it is about to be native again.
    pub dormant: fn(),
    /// Translates a resume address inside libcoop's stubs to the program's own address after its syscall instruction.
    pub original: fn(usize) -> Option<usize>,
    /// The reverse: where a task that is to go on after this syscall instruction really goes on.
    pub continuation: fn(usize) -> Option<usize>,
    /// Called when the program maps a file executable, before any of its code can run: (fd, address, length, offset).
    pub mapped: fn(i32, usize, usize, u64),
    /// Called when the program has unmapped memory: (address, length).
    pub unmapped: fn(usize, usize),
    /// Called on each hub's thread before it runs tasks, and again in a forked child that converts anew.
    pub enter_hub: fn(&Gate),
    /// Arms the trap door on a hub's thread, called there.
    pub arm_hub: fn(&Gate),
    /// Finds whether an address is in code of the library's own that preemption must not strike.
    pub in_library: fn(usize) -> bool,
    /// `exit(3)` of the program's libc: where the last task goes.
    pub exit: usize,
    /// Sets the current-task slot of a thread pointer to this task (or to none).
    pub set_slot: unsafe fn(fs: u64, task: *mut Context),
    /// Sets the word by which the window finds its task, of this thread pointer.
    pub set_window: unsafe fn(fs: u64, task: *mut Context),
}

impl Crossing {
    /// Runs a task by [`Crossing::resume`], without a `call` instruction: the CPU predicts returns by a stack of its own, on which the
    /// program's calls are, and neither this nor the way back disturbs it. A call that does not switch tasks costs no mispredicted return
    /// then, here or in the program.
    ///
    /// # Safety
    /// As for `resume`.
    #[inline]
    pub(crate) unsafe fn run(&self, context: *mut Context) {
        // SAFETY: a call by hand: the return address is pushed, the C convention's registers are declared, and `resume` comes back to
        // the label with the stack as it was.
        unsafe {
            std::arch::asm!(
                "lea rax, [rip + 2f]",
                "push rax",
                "jmp {resume}",
                "2:",
                out("rax") _,
                resume = in(reg) self.resume,
                in("rdi") context,
                clobber_abi("C"),
            );
        }
    }
}
