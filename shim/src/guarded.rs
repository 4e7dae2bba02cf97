//! The door of the calls that close and replace descriptors, and of those that make children: of a native child's, too. See
//! [`coop_runtime::guard`], which is asked about them while it is on.

use crate::crossing;
use coop_runtime::guard;
use std::arch::naked_asm;

/// A task's call goes on to `$entry`. Another is made by the stub itself, unless the guard is on. That may answer it: on the program's stack, as a
/// signal handler may come at any point, whose own calls lead here again.
macro_rules! door {
    ($entry:path) => {
        naked_asm!(
            "jrcxz 2f",
            "jmp {entry}",
            // No task.
            "2:",
            "mov rcx, [rip + {page}]",
            "jrcxz 3f",
            "mov rcx, [rcx]",
            "jrcxz 3f",
            "jmp 5f",
            // The stub's own `syscall`.
            "3:",
            "lea r11, [r11 - 2]",
            "jmp r11",
            // The guard is on. All is kept but rcx: flags, the red zone, and what compiled code uses.
            "5:",
            "lea rsp, [rsp - 128]",
            "pushfq",
            "push rbp",
            "mov rbp, rsp",
            "push r11",
            "push rax",
            "push r9",
            "push r8",
            "push r10",
            "push rdx",
            "push rsi",
            "push rdi",
            "mov rdi, rax",
            "mov rsi, rsp",
            "mov rdx, rcx",
            "sub rsp, 256",
            "and rsp, -16",
            "movaps [rsp], xmm0",
            "movaps [rsp + 16], xmm1",
            "movaps [rsp + 32], xmm2",
            "movaps [rsp + 48], xmm3",
            "movaps [rsp + 64], xmm4",
            "movaps [rsp + 80], xmm5",
            "movaps [rsp + 96], xmm6",
            "movaps [rsp + 112], xmm7",
            "movaps [rsp + 128], xmm8",
            "movaps [rsp + 144], xmm9",
            "movaps [rsp + 160], xmm10",
            "movaps [rsp + 176], xmm11",
            "movaps [rsp + 192], xmm12",
            "movaps [rsp + 208], xmm13",
            "movaps [rsp + 224], xmm14",
            "movaps [rsp + 240], xmm15",
            "cld",
            "call {guard}",
            "movaps xmm0, [rsp]",
            "movaps xmm1, [rsp + 16]",
            "movaps xmm2, [rsp + 32]",
            "movaps xmm3, [rsp + 48]",
            "movaps xmm4, [rsp + 64]",
            "movaps xmm5, [rsp + 80]",
            "movaps xmm6, [rsp + 96]",
            "movaps xmm7, [rsp + 112]",
            "movaps xmm8, [rsp + 128]",
            "movaps xmm9, [rsp + 144]",
            "movaps xmm10, [rsp + 160]",
            "movaps xmm11, [rsp + 176]",
            "movaps xmm12, [rsp + 192]",
            "movaps xmm13, [rsp + 208]",
            "movaps xmm14, [rsp + 224]",
            "movaps xmm15, [rsp + 240]",
            "lea rsp, [rbp - 64]",
            "pop rdi",
            "pop rsi",
            "pop rdx",
            "pop r10",
            "pop r8",
            "pop r9",
            "pop rcx",
            "pop r11",
            "movabs rbp, {pass}",
            "cmp rax, rbp",
            "pop rbp",
            "je 4f",
            "popfq",
            "lea rsp, [rsp + 128]",
            "jmp r11",
            "4:",
            "mov rax, rcx",
            "popfq",
            "lea rsp, [rsp + 128]",
            "jmp 3b",
            entry = sym $entry,
            page = sym guard::PAGE,
            guard = sym guard::coop_guard,
            pass = const guard::PASS,
        )
    };
}

/// Where such stubs lead: the current task is in rcx, and where to come back to in r11.
///
/// # Safety
/// Jumped to by a stub.
#[unsafe(naked)]
pub unsafe extern "C" fn coop_guarded() {
    door!(crossing::coop_entry)
}

/// The same for sites that need the extended registers kept.
///
/// # Safety
/// Jumped to by a stub.
#[unsafe(naked)]
pub unsafe extern "C" fn coop_guarded_full() {
    door!(crossing::coop_entry_full)
}
