// A system call that the rewrite door does not know for one: no unwind information, and its number is loaded far before it.
#pragma once
#include "coop-test.h"

__asm__(
    ".text\n"
    "hidden_call:\n"
    "    mov %edi, %eax\n"
    "    mov %rsi, %rdi\n"
    "    mov %rdx, %rsi\n"
    "    mov %rcx, %rdx\n"
    "    mov %r8, %r10\n"
    "    mov %r9, %r8\n"
    "    xor %r9d, %r9d\n"
    "    .nops 40\n"
    "    syscall\n"
    "    ret\n");

long hidden_call(int number, long a, long b, long c, long d, long e);
