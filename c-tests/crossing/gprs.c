// A syscall changes no general register but rax, rcx and r11: one that returns at once, one that waits, and one that
// reads a cached file.
#include "coop-test.h"

// syscall_gprs(registers): loads rax rdi rsi rdx r10 r8 r9 rbx rbp r12 r13 r14 r15, syscalls, stores them
// back; and the stack pointer before and after it.
__asm__(
    ".text\n"
    "syscall_gprs:\n"
    // Unwind information, as compiled code has it, says that this is a function.
    "    .cfi_startproc\n"
    "    push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rdi\n"
    "    mov %rsp, 104(%rdi); mov 0(%rdi), %rax\n"
    "    mov 16(%rdi), %rsi;  mov 24(%rdi), %rdx;  mov 32(%rdi), %r10; mov 40(%rdi), %r8\n"
    "    mov 48(%rdi), %r9;   mov 56(%rdi), %rbx;  mov 64(%rdi), %rbp; mov 72(%rdi), %r12\n"
    "    mov 80(%rdi), %r13;  mov 88(%rdi), %r14;  mov 96(%rdi), %r15; mov 8(%rdi), %rdi\n"
    "    syscall\n"
    "    mov (%rsp), %rcx\n"
    "    mov %rsp, 112(%rcx)\n"
    "    mov %rax, 0(%rcx);   mov %rdi, 8(%rcx)\n"
    "    mov %rsi, 16(%rcx);  mov %rdx, 24(%rcx);  mov %r10, 32(%rcx); mov %r8, 40(%rcx)\n"
    "    mov %r9, 48(%rcx);   mov %rbx, 56(%rcx);  mov %rbp, 64(%rcx); mov %r12, 72(%rcx)\n"
    "    mov %r13, 80(%rcx);  mov %r14, 88(%rcx);  mov %r15, 96(%rcx)\n"
    "    pop %rdi; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "    ret\n"
    "    .cfi_endproc\n");

void syscall_gprs(long registers[15]);

static uint32_t word;

static void keeps(const long arguments[7], long result)
{
    long before[15] = {0}, after[15];
    memcpy(before, arguments, 7 * sizeof(long));
    for (int i = 7; i < 13; i++) before[i] = 0x0101010101010101 * i;
    memcpy(after, before, sizeof after);
    syscall_gprs(after);
    ASSERT_EQ(after[0], result);
    ASSERT_EQ(after[14], after[13]);
    for (int i = 1; i < 13; i++) ASSERT_EQ(after[i], before[i]);
}

static void *waits(void *unused)
{
    (void)unused;
    const long arguments[7] = {SYS_futex, (long)&word, FUTEX_WAIT_PRIVATE, 0, 0, 0x5555, 0x6666};
    keeps(arguments, 0);
    return NULL;
}

static void *scribbles(void *unused)
{
    (void)unused;
    // Waits and other calls with quite other registers, until the waiter is there to be woken.
    const long nothing[7] = {SYS_getppid, -1, -2, -3, -4, -5, -6};
    do {
        keeps(nothing, getppid());
        sleep_ms(2);
    } while (futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0);
    return NULL;
}

// Reads of a cached file: hundreds, as how such a read is made may change with their number.
static void *reads(void *unused)
{
    (void)unused;
    static char block[4096];
    int fd = SYS(open("cached", O_RDWR | O_CREAT | O_TRUNC, 0600));
    write_all(fd, block, sizeof block);
    for (int i = 0; i < 300; i++) {
        const long arguments[7] = {SYS_pread64, fd, (long)block, sizeof block, 0, 0x5555, 0x6666};
        keeps(arguments, sizeof block);
    }
    return NULL;
}

int main(void)
{
    const long at_once[7] = {SYS_getpid, 0x1111, 0x2222, 0x3333, 0x4444, 0x5555, 0x6666};
    keeps(at_once, getpid());
    for (int i = 0; i < 5; i++) {
        pthread_t waiter = spawn(waits, NULL), other = spawn(scribbles, NULL);
        keeps(at_once, getpid());
        join(waiter);
        join(other);
    }
    join(spawn(reads, NULL));
    return 0;
}
