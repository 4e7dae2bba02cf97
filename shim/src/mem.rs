//! The functions of libc's that compiled Rust code calls by itself, for this library alone. They are hidden: the program's own calls still
//! go to libc.
//!
//! libc's choose variants that overwrite the upper halves of the vector registers, which the program may have live across an inlined
//! system call (see the runtime's `extended`). These use no vector register at all, and `rep movsb` is fast on every CPU of the last
//! ten years.
//!
//! And std notes the destructors of its thread-locals with libc, which allocates for that: each thread that `may` starts would get an arena of
//! the program's malloc, and every fork copy its page. None of these threads ends, and at the end of the process there is nothing to destroy.

std::arch::global_asm!(
    r#"
    .text
    .globl memcpy
    .hidden memcpy
    .type memcpy,@function
memcpy:
    mov %rdi, %rax
    mov %rdx, %rcx
    rep movsb
    ret

    .globl memmove
    .hidden memmove
    .type memmove,@function
memmove:
    mov %rdi, %rax
    mov %rdx, %rcx
    mov %rdi, %r8
    sub %rsi, %r8
    cmp %rdx, %r8
    jb 1f
    rep movsb
    ret
1:  // The target begins within the source: from the end.
    lea -1(%rdi,%rdx), %rdi
    lea -1(%rsi,%rdx), %rsi
    std
    rep movsb
    cld
    ret

    .globl memset
    .hidden memset
    .type memset,@function
memset:
    mov %rdi, %r8
    mov %esi, %eax
    mov %rdx, %rcx
    rep stosb
    mov %r8, %rax
    ret

    .globl memcmp
    .hidden memcmp
    .type memcmp,@function
    .globl bcmp
    .hidden bcmp
    .type bcmp,@function
memcmp:
bcmp:
    xor %ecx, %ecx
2:  cmp %rdx, %rcx
    je 3f
    movzbl (%rdi,%rcx), %eax
    movzbl (%rsi,%rcx), %r8d
    inc %rcx
    sub %r8d, %eax
    je 2b
    ret
3:  xor %eax, %eax
    ret

    .globl __cxa_thread_atexit_impl
    .hidden __cxa_thread_atexit_impl
    .type __cxa_thread_atexit_impl,@function
__cxa_thread_atexit_impl:
    xor %eax, %eax
    ret

    .globl strlen
    .hidden strlen
    .type strlen,@function
strlen:
    xor %eax, %eax
4:  cmpb $0, (%rdi,%rax)
    je 5f
    inc %rax
    jmp 4b
5:  ret
"#,
    options(att_syntax)
);
