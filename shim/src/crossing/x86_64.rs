//! The crossing on x86-64.
//!
//! ```text
//!   program code                      crossing                           hub (Rust, on the carrier's stack)
//!   ────────────                      ────────                           ──────────────────────────────────
//!                                     coop_resume(context) ◀──────────── (crossing.resume)(context)
//!                                       push rbx rbp r12–r15               │ the hub's own registers stay on its stack,
//!                                       gate.rsp = rsp                     │ below what `gate.rsp` says:
//!                                       FS = context.fs                    │
//!   … runs …           ◀──────────────  load registers, jmp rip            │   gate.rsp ─▶ r15 r14 r13 r12 rbp rbx ret
//!   jmp stub (a site) ─▶ rcx = task
//!                        r11 = rip ──▶ coop_entry
//!                                       save registers into context
//!                                       FS = gate.fs
//!                                       rsp = gate.rsp
//!                                       pop r15–r12 rbp rbx rcx; jmp rcx ▶ … returns: the task has crossed
//! ```
//!
//! To the program a crossing is a system call: it keeps every register but rax, rcx and r11, the flags, and the 128 bytes below
//! rsp. So nothing is pushed on the program's stack, and the flags go through `lahf`/`seto` and `sahf`/`add`, which cost less than
//! `pushf`/`popf` and need no stack. Two thread-local words, at fixed offsets from the FS base because the library is loaded at
//! start-up, tell who is who: `coop_current`, the task whose thread pointer this is (null: not a task: an ordinary system call),
//! and `coop_windowed`, for a task in a window.
//!
//! Calls that never block are made right here, and what most often ends at once is answered on the way
//! ([`coop_answer`](coop_runtime::syscalls::quick::coop_answer)), which may also have the crossing make the call itself: [`COOP_ENTERS`](coop_runtime::syscalls::table::COOP_ENTERS) says which.

use coop_runtime::context::{Context, Gate, Registers};
use coop_runtime::signal;
use coop_runtime::syscalls::{quick, table, window_done};
use std::arch::global_asm;
use std::mem::offset_of;
use std::sync::atomic::AtomicU8;

/// 1 when the FS base is set by arch_prctl(2), because the CPU or kernel has no wrfsbase.
static COOP_NO_FSGSBASE: AtomicU8 = AtomicU8::new(0);

/// Chooses how the FS base is set.
pub fn use_fsgsbase(yes: bool) {
    COOP_NO_FSGSBASE.store(u8::from(!yes), std::sync::atomic::Ordering::Relaxed);
}

extern "C" {
    /// Where rewritten sites lead: rcx is the task, r11 the way back.
    pub fn coop_entry();
    /// The same for sites that need the extended registers kept.
    pub fn coop_entry_full();
    /// Runs a task until it crosses.
    pub fn coop_resume(context: *mut Context);
    /// Runs a task from a signal frame until it crosses.
    pub fn coop_resume_frame(context: *mut Context, frame: usize);
    /// Becomes a native thread with this FS base, from a signal frame.
    pub fn coop_leave(fs: u64, frame: usize) -> !;
    /// From a signal handler that struck program code: crosses into the hub. Does not return.
    pub fn coop_abandon(gate: *const Gate) -> !;
    /// Saves the caller's registers into a context and goes on with `run` on another stack and FS base; returns when the context
    /// is resumed, on whatever thread resumes it.
    pub fn coop_depart(context: *mut Context, stack: usize, fs: u64, run: extern "C" fn() -> !);
    /// Behind a call that the crossing has made itself: what is left is the way back, to its end.
    fn coop_made();
    fn coop_made_end();
    /// Where handlers return to.
    pub fn coop_signal_return();
    /// Where a task makes a call by itself; up to the second a signal that it does not block may strike it.
    pub fn coop_window();
    pub fn coop_window_blocked();
    /// The restorer of the library's own SIGSYS handler.
    pub fn coop_restorer();
    fn coop_current_offset() -> i64;
    fn coop_windowed_offset() -> i64;
}

global_asm!(
    r#"
    .section .tbss.coop_current,"awT",@nobits
    .balign 8
    .globl coop_current
    .hidden coop_current
    .type coop_current,@object
    .size coop_current,8
coop_current:
    .zero 8
    .globl coop_windowed
    .hidden coop_windowed
    .type coop_windowed,@object
    .size coop_windowed,8
coop_windowed:
    .zero 8

    .text

    // Sets the FS base to \reg. Clobbers rax, rdi, rsi, rcx, r11 and r12 where there is no wrfsbase.
    .macro SET_FS reg
    cmpb $0, {no_fsgsbase}(%rip)
    jne 771f
    wrfsbase \reg
    jmp 772f
771:
    mov %rdi, %r12
    mov \reg, %rsi
    mov $0x1002, %edi
    mov $158, %eax
    syscall
    mov %r12, %rdi
772:
    .endm

    .globl coop_entry_full
    .hidden coop_entry_full
    .type coop_entry_full,@function
coop_entry_full:
    .cfi_startproc
    // At both entries nothing of the caller's has moved: its rip is in r11.
    .cfi_def_cfa rsp, 0
    .cfi_register rip, r11
    movq $1, {full}(%rcx)
    jmp 1f
    .cfi_endproc

    .globl coop_entry
    .hidden coop_entry
    .type coop_entry,@function
coop_entry:
    .cfi_startproc
    .cfi_def_cfa rsp, 0
    .cfi_register rip, r11
    movq $0, {full}(%rcx)
1:
    mov %rax, {rax}(%rcx)
    lahf
    seto %al
    mov %ax, {flags}(%rcx)
    mov {rax}(%rcx), %rax
    mov %rdi, {rdi}(%rcx)
    cmp ${length}, %rax
    jae 2f
    lea {enters}(%rip), %rdi
    cmpb $1, (%rdi,%rax)
    jae 2f
    // Never blocks: the call is made here, with the program's own registers and flags. It overwrites rcx and r11, so the way
    // back waits in the context, which the thread-local word finds again.
    mov %r11, {rip}(%rcx)
    mov {rdi}(%rcx), %rdi
    movzwl {flags}(%rcx), %eax
    add $127, %al
    sahf
    mov {rax}(%rcx), %rax
9:
    syscall
    .globl coop_made
    .hidden coop_made
coop_made:
    mov coop_current@gottpoff(%rip), %rcx
    mov %fs:(%rcx), %rcx
    jmp *{rip}(%rcx)
    .globl coop_made_end
    .hidden coop_made_end
coop_made_end:
2:
    mov %rsi, {rsi}(%rcx)
    mov %rdx, {rdx}(%rcx)
    mov %r10, {r10}(%rcx)
    mov %r8, {r8}(%rcx)
    mov %r9, {r9}(%rcx)
    mov %rbx, {rbx}(%rcx)
    mov %rbp, {rbp}(%rcx)
    mov %r12, {r12}(%rcx)
    mov %r13, {r13}(%rcx)
    mov %r14, {r14}(%rcx)
    mov %r15, {r15}(%rcx)
    mov %rsp, {rsp}(%rcx)
    mov %r11, {rip}(%rcx)
    movaps %xmm0, {xmm}+0x00(%rcx)
    movaps %xmm1, {xmm}+0x10(%rcx)
    movaps %xmm2, {xmm}+0x20(%rcx)
    movaps %xmm3, {xmm}+0x30(%rcx)
    movaps %xmm4, {xmm}+0x40(%rcx)
    movaps %xmm5, {xmm}+0x50(%rcx)
    movaps %xmm6, {xmm}+0x60(%rcx)
    movaps %xmm7, {xmm}+0x70(%rcx)
    movaps %xmm8, {xmm}+0x80(%rcx)
    movaps %xmm9, {xmm}+0x90(%rcx)
    movaps %xmm10, {xmm}+0xa0(%rcx)
    movaps %xmm11, {xmm}+0xb0(%rcx)
    movaps %xmm12, {xmm}+0xc0(%rcx)
    movaps %xmm13, {xmm}+0xd0(%rcx)
    movaps %xmm14, {xmm}+0xe0(%rcx)
    movaps %xmm15, {xmm}+0xf0(%rcx)
    mov {gate}(%rcx), %rdx
    cmp ${length}, %rax
    jae 3f
    cmpb $2, (%rdi,%rax)
    jne 3f
    // Perhaps answered on the way: inside the runtime, below the hub's frames, with the task's FS base. (What needs the extended registers
    // kept has the hub keep them.)
    cmpq $0, {full}(%rcx)
    jne 3f
    movb $0, {gate_in_program}(%rdx)
    mov {gate_rsp}(%rdx), %rsp
    .cfi_remember_state
    .cfi_undefined rip
    sub $8, %rsp
    cld
    mov %rcx, %rbx
    mov %rcx, %rdi
    call {answer}
    mov %rbx, %rdi
    mov {gate}(%rdi), %rdx
    cmp ${to_hub}, %eax
    je 3f
    movb $1, {gate_in_program}(%rdx)
    mov {rip}(%rdi), %r11
    lea 9b(%rip), %rcx
    cmp ${plainly}, %eax
    cmove %rcx, %r11
    jmp 8f
    .cfi_restore_state
3:
    // To the hub, whose gate is in rdx. From here the program's registers are dead.
    mov {gate_fs}(%rdx), %rbx
    SET_FS %rbx
    movb $0, {gate_in_program}(%rdx)
    mov {gate_rsp}(%rdx), %rsp
    cld
    .cfi_endproc
    // Back in the frame of whoever called coop_resume.
    .cfi_startproc
    .cfi_def_cfa_offset 56
    .cfi_offset rbx, -16
    .cfi_offset rbp, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
    pop %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore r15
    pop %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore r14
    pop %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore r13
    pop %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore r12
    pop %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbp
    pop %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    // A `ret` in effect, but predicted: the CPU's stack of return addresses has the program's on top here, and keeps them.
    pop %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register rip, rcx
    jmp *%rcx
    .cfi_endproc

    .globl coop_abandon
    .hidden coop_abandon
    .type coop_abandon,@function
coop_abandon:
    mov %rdi, %rdx
    jmp 3b

    // What both ways to a task begin with: the hub's registers onto its stack, its rsp into the gate (rdx), the task's FS base.
    .macro TO_TASK
    push %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbx, 0
    push %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset rbp, 0
    push %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r12, 0
    push %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r13, 0
    push %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r14, 0
    push %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset r15, 0
    mov {gate}(%rdi), %rdx
    mov %rsp, {gate_rsp}(%rdx)
    mov %rsi, %r13
    mov {fs}(%rdi), %rbx
    SET_FS %rbx
    mov %r13, %rsi
    movb $1, {gate_in_program}(%rdx)
    .endm

    .globl coop_resume
    .hidden coop_resume
    .type coop_resume,@function
coop_resume:
    .cfi_startproc
    TO_TASK
    mov {rip}(%rdi), %r11
8:
    // Where to is in r11: the program, or the crossing's own system call.
    mov %rdi, %rcx
    movaps {xmm}+0x00(%rcx), %xmm0
    movaps {xmm}+0x10(%rcx), %xmm1
    movaps {xmm}+0x20(%rcx), %xmm2
    movaps {xmm}+0x30(%rcx), %xmm3
    movaps {xmm}+0x40(%rcx), %xmm4
    movaps {xmm}+0x50(%rcx), %xmm5
    movaps {xmm}+0x60(%rcx), %xmm6
    movaps {xmm}+0x70(%rcx), %xmm7
    movaps {xmm}+0x80(%rcx), %xmm8
    movaps {xmm}+0x90(%rcx), %xmm9
    movaps {xmm}+0xa0(%rcx), %xmm10
    movaps {xmm}+0xb0(%rcx), %xmm11
    movaps {xmm}+0xc0(%rcx), %xmm12
    movaps {xmm}+0xd0(%rcx), %xmm13
    movaps {xmm}+0xe0(%rcx), %xmm14
    movaps {xmm}+0xf0(%rcx), %xmm15
    movzwl {flags}(%rcx), %eax
    add $127, %al
    sahf
    mov {rax}(%rcx), %rax
    mov {rdi}(%rcx), %rdi
    mov {rsi}(%rcx), %rsi
    mov {rdx}(%rcx), %rdx
    mov {r10}(%rcx), %r10
    mov {r8}(%rcx), %r8
    mov {r9}(%rcx), %r9
    mov {rbx}(%rcx), %rbx
    mov {rbp}(%rcx), %rbp
    mov {r12}(%rcx), %r12
    mov {r13}(%rcx), %r13
    mov {r14}(%rcx), %r14
    mov {r15}(%rcx), %r15
    mov {rsp}(%rcx), %rsp
    jmp *%r11
    .cfi_endproc

    .globl coop_resume_frame
    .hidden coop_resume_frame
    .type coop_resume_frame,@function
coop_resume_frame:
    .cfi_startproc
    TO_TASK
    // The kernel takes the frame to be where a handler's return would have left rsp.
    lea 8(%rsi), %rsp
    mov $15, %eax
    syscall
    ud2
    .cfi_endproc

    .globl coop_leave
    .hidden coop_leave
    .type coop_leave,@function
coop_leave:
    mov %rdi, %rbx
    mov %rsi, %r13
    SET_FS %rbx
    lea 8(%r13), %rsp
    mov $15, %eax
    syscall
    ud2

    .globl coop_depart
    .hidden coop_depart
    .type coop_depart,@function
coop_depart:
    mov %rbx, {rbx}(%rdi)
    mov %rbp, {rbp}(%rdi)
    mov %r12, {r12}(%rdi)
    mov %r13, {r13}(%rdi)
    mov %r14, {r14}(%rdi)
    mov %r15, {r15}(%rdi)
    mov (%rsp), %rax
    mov %rax, {rip}(%rdi)
    lea 8(%rsp), %rax
    mov %rax, {rsp}(%rdi)
    mov %rsi, %rsp
    and $-16, %rsp
    mov %rdx, %rbx
    mov %rcx, %r14
    SET_FS %rbx
    xor %ebp, %ebp
    call *%r14
    ud2

    // A handler returns here with rsp at its frame's ucontext. The CFI says where the frame keeps the interrupted registers
    // (offsets within ucontext), as __restore_rt's does, so unwinders and debuggers go on through it.
    .balign 16
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_escape 0x0f,0x04,0x77,0xa0,0x01,0x06
    .cfi_escape 0x10,0x08,0x02,0x77,0x28
    .cfi_escape 0x10,0x09,0x02,0x77,0x30
    .cfi_escape 0x10,0x0a,0x02,0x77,0x38
    .cfi_escape 0x10,0x0b,0x03,0x77,0xc0,0x00
    .cfi_escape 0x10,0x0c,0x03,0x77,0xc8,0x00
    .cfi_escape 0x10,0x0d,0x03,0x77,0xd0,0x00
    .cfi_escape 0x10,0x0e,0x03,0x77,0xd8,0x00
    .cfi_escape 0x10,0x0f,0x03,0x77,0xe0,0x00
    .cfi_escape 0x10,0x05,0x03,0x77,0xe8,0x00
    .cfi_escape 0x10,0x04,0x03,0x77,0xf0,0x00
    .cfi_escape 0x10,0x06,0x03,0x77,0xf8,0x00
    .cfi_escape 0x10,0x03,0x03,0x77,0x80,0x01
    .cfi_escape 0x10,0x01,0x03,0x77,0x88,0x01
    .cfi_escape 0x10,0x00,0x03,0x77,0x90,0x01
    .cfi_escape 0x10,0x02,0x03,0x77,0x98,0x01
    .cfi_escape 0x10,0x07,0x03,0x77,0xa0,0x01
    .cfi_escape 0x10,0x10,0x03,0x77,0xa8,0x01
    // Unwinders that know no signal frames look one byte before a return address.
    nop
    .globl coop_signal_return
    .hidden coop_signal_return
    .type coop_signal_return,@function
coop_signal_return:
    mov coop_current@gottpoff(%rip), %rcx
    mov %fs:(%rcx), %rcx
    test %rcx, %rcx
    jz 4f
    mov ${signal_return}, %eax
    lea 5f(%rip), %r11
    jmp coop_entry
4:
    // No task: a handler's frame in a forked child, which is native. The kernel takes it, once its rip is where code goes on.
    mov %rsp, %rbx
    lea -8(%rsp), %rdi
    sub $256, %rsp
    and $-16, %rsp
    call {native_frame}
    mov %rbx, %rsp
    mov $15, %eax
    syscall
5:
    ud2
    .cfi_endproc

    .globl coop_restorer
    .hidden coop_restorer
    .type coop_restorer,@function
coop_restorer:
    mov $15, %rax
    syscall
    ud2

    // The window: a task gets here by a signal frame, on a carrier's thread, with the registers of its call, its signal mask if that is exec, and
    // no current task. On its way back it blocks all signals again, as long as it can be told where it is.
    .globl coop_window, coop_window_blocked
    .hidden coop_window, coop_window_blocked
    .type coop_window,@function
coop_window:
    syscall
    mov coop_windowed@gottpoff(%rip), %rcx
    mov %fs:(%rcx), %rcx
    test %rax, %rax
    jz 6f
    mov %rax, {window_result}(%rcx)
    lea 7f(%rip), %rsi
    mov $2, %edi
    mov $0, %edx
    mov $8, %r10d
    mov $14, %eax
    syscall
coop_window_blocked:
    mov coop_windowed@gottpoff(%rip), %rcx
    mov %fs:(%rcx), %rcx
    mov {rdi}(%rcx), %rdi
    mov {rsi}(%rcx), %rsi
    mov {rdx}(%rcx), %rdx
    mov {r10}(%rcx), %r10
    mov {rip}(%rcx), %r11
    mov ${window_done}, %eax
    cmpq $0, {full}(%rcx)
    jne coop_entry_full
    jmp coop_entry
6:
    // A vfork child: takes the task's signal mask, goes on in the program, natively, and leaves the window by exec or exit.
    lea {window_mask}(%rcx), %rsi
    mov $2, %edi
    mov $0, %edx
    mov $8, %r10d
    mov $14, %eax
    syscall
    mov coop_windowed@gottpoff(%rip), %rcx
    mov %fs:(%rcx), %rcx
    mov {rdi}(%rcx), %rdi
    mov {rsi}(%rcx), %rsi
    mov {rdx}(%rcx), %rdx
    mov {r10}(%rcx), %r10
    mov $0, %eax
    jmp *{rip}(%rcx)
    .balign 8
7:
    .quad {blocked}

    .globl coop_current_offset
    .hidden coop_current_offset
coop_current_offset:
    mov coop_current@gottpoff(%rip), %rax
    ret
    // Thread-locals of Rust code, which the compiler reaches by this function. The library is loaded at start-up, so they are at one
    // offset from the thread pointer, as the words above; the loader's function would want a table that bare threads do not have.
    .globl __tls_get_addr
    .hidden __tls_get_addr
    .type __tls_get_addr,@function
__tls_get_addr:
    mov coop_current@gottpoff(%rip), %rax
    sub $coop_current@dtpoff, %rax
    add 8(%rdi), %rax
    add %fs:0, %rax
    ret

    .globl coop_windowed_offset
    .hidden coop_windowed_offset
coop_windowed_offset:
    mov coop_windowed@gottpoff(%rip), %rax
    ret
"#,
    rax = const offset_of!(Context, regs) + offset_of!(Registers, rax),
    rdi = const offset_of!(Context, regs) + offset_of!(Registers, rdi),
    rsi = const offset_of!(Context, regs) + offset_of!(Registers, rsi),
    rdx = const offset_of!(Context, regs) + offset_of!(Registers, rdx),
    r10 = const offset_of!(Context, regs) + offset_of!(Registers, r10),
    r8 = const offset_of!(Context, regs) + offset_of!(Registers, r8),
    r9 = const offset_of!(Context, regs) + offset_of!(Registers, r9),
    rbx = const offset_of!(Context, regs) + offset_of!(Registers, rbx),
    rbp = const offset_of!(Context, regs) + offset_of!(Registers, rbp),
    r12 = const offset_of!(Context, regs) + offset_of!(Registers, r12),
    r13 = const offset_of!(Context, regs) + offset_of!(Registers, r13),
    r14 = const offset_of!(Context, regs) + offset_of!(Registers, r14),
    r15 = const offset_of!(Context, regs) + offset_of!(Registers, r15),
    rsp = const offset_of!(Context, regs) + offset_of!(Registers, rsp),
    rip = const offset_of!(Context, regs) + offset_of!(Registers, rip),
    flags = const offset_of!(Context, flags),
    fs = const offset_of!(Context, fs),
    gate = const offset_of!(Context, gate),
    full = const offset_of!(Context, full),
    window_result = const offset_of!(Context, window_result),
    window_mask = const offset_of!(Context, window_mask),
    xmm = const offset_of!(Context, xmm),
    gate_rsp = const offset_of!(Gate, rsp),
    gate_fs = const offset_of!(Gate, fs),
    gate_in_program = const offset_of!(Gate, in_program),
    length = const table::LENGTH,
    to_hub = const quick::TO_HUB,
    plainly = const quick::PLAINLY,
    signal_return = const signal::RETURN,
    window_done = const window_done(),
    blocked = const !signal::UNBLOCKED,
    no_fsgsbase = sym COOP_NO_FSGSBASE,
    enters = sym table::COOP_ENTERS,
    answer = sym quick::coop_answer,
    native_frame = sym coop_native_frame,
    options(att_syntax)
);

/// For a signal handler that struck a task: where the task is if it is in the crossing, with nothing done there that counts, is set to where it came from
/// or where it goes on in the program. One that makes system calls and little else is hardly ever found in its own code, and could not be preempted:
///
/// - A signal that comes while the kernel makes a call that never blocks finds the task behind it: it goes on in the program.
/// - One that comes while the trap's handler runs finds it at the entry: it has not made its call yet, and traps again.
///
/// # Safety
/// `task` is the one that the thread runs; `context` is the handler's.
pub unsafe fn come_back(
    task: *const Context,
    context: &mut signal::KernelContext,
    is_stub: impl FnOnce(usize) -> bool,
) {
    /// Of the instructions that make system calls.
    const LENGTH: u64 = 2;
    let way_back = coop_made as *const () as u64..coop_made_end as *const () as u64;
    let machine = &mut context.machine;
    if way_back.contains(&machine.rip) {
        // SAFETY: a task's memory is never unmapped; its way back is there since before the call.
        machine.rip = unsafe { (*task).regs.rip };
        machine.rcx = task as u64;
    } else if machine.rip == coop_entry_full as *const () as u64 && !is_stub(machine.r11 as usize) {
        machine.rip = machine.r11 - LENGTH;
    }
}

/// The offset of the current-task word from any FS base.
pub fn slot_offset() -> i32 {
    // SAFETY: returns a constant of the loaded library.
    i32::try_from(unsafe { coop_current_offset() }).expect("static thread-local storage is small")
}

/// The current task of the calling thread, or null.
pub fn current() -> *mut Context {
    let context: *mut Context;
    // SAFETY: reads this thread's own word. Uses nothing but the FS base: a signal handler may call it.
    unsafe {
        std::arch::asm!(
            "mov {0}, qword ptr [rip + coop_current@gottpoff]",
            "mov {0}, qword ptr fs:[{0}]",
            out(reg) context, options(nostack, preserves_flags, readonly)
        );
    }
    context
}

/// The task in a window on the calling thread. As [`current`], for a signal handler.
pub fn windowed() -> *mut Context {
    let context: *mut Context;
    // SAFETY: as there.
    unsafe {
        std::arch::asm!(
            "mov {0}, qword ptr [rip + coop_windowed@gottpoff]",
            "mov {0}, qword ptr fs:[{0}]",
            out(reg) context, options(nostack, preserves_flags, readonly)
        );
    }
    context
}

/// Makes a task the current one of a thread pointer.
///
/// # Safety
/// `fs` is a thread control block with this library's static thread-locals.
pub unsafe fn set_slot(fs: u64, task: *mut Context) {
    // SAFETY: the caller's promise.
    unsafe { *(fs.wrapping_add_signed(coop_current_offset()) as *mut *mut Context) = task };
}

/// Makes a task the windowed one of a thread pointer.
///
/// # Safety
/// As [`set_slot`].
pub unsafe fn set_window(fs: u64, task: *mut Context) {
    // SAFETY: the caller's promise.
    unsafe { *(fs.wrapping_add_signed(coop_windowed_offset()) as *mut *mut Context) = task };
}

/// The calling thread's FS base.
pub fn fs_base() -> u64 {
    let mut base = 0u64;
    const ARCH_GET_FS: i32 = 0x1003;
    // SAFETY: stores the FS base.
    let _ = unsafe { coop_runtime::sys!(SYS_arch_prctl, ARCH_GET_FS, &mut base) };
    base
}

/// For a handler's frame that the kernel is to return from: `rip` is the program's own address, and becomes where code goes on.
extern "C" fn coop_native_frame(frame: usize) {
    // SAFETY: called by `coop_signal_return` with a frame that the runtime laid out.
    unsafe { coop_runtime::signal::localize_frame(frame) };
}
