// Threads that do nothing but make calls that never block are preempted between them: each call is made once and gives its result, and
// the registers stay.
// env: COOP_SLICE=1
#include "coop-test.h"
#include <stdatomic.h>

enum { THREADS = 4, MS = 300 };

static atomic_int turn;

// So many calls of lseek(fd, 1, SEEK_CUR), with everything in registers; what the last gave.
static long moves(long fd, long times)
{
    long last;
    unsigned long changed;
    __asm__ volatile(
        "mov $0x1111, %%rbx; mov $0x2222, %%r12; mov $0x3333, %%r13; mov $0x4444, %%r14\n"
        "mov $0x5555, %%r8; mov $0x6666, %%r9; mov $0x7777, %%r10; movq %%r8, %%xmm3\n"
        "1: mov $8, %%eax; mov %[fd], %%rdi; mov $1, %%esi; mov $1, %%edx\n"
        "stc\n"
        "syscall\n"
        "mov $0, %%edi; adc $-1, %%rdi\n"
        "xor $0x1111, %%rbx; xor $0x2222, %%r12; xor $0x3333, %%r13; xor $0x4444, %%r14\n"
        "movq %%xmm3, %%rsi; xor $0x5555, %%rsi; xor $0x5555, %%r8; xor $0x6666, %%r9; xor $0x7777, %%r10; xor $1, %%rdx\n"
        "or %%rbx, %%rdi; or %%r12, %%rdi; or %%r13, %%rdi; or %%r14, %%rdi; or %%rsi, %%rdi\n"
        "or %%r8, %%rdi; or %%r9, %%rdi; or %%r10, %%rdi; or %%rdx, %%rdi\n"
        "jnz 2f\n"
        "mov $0x1111, %%rbx; mov $0x2222, %%r12; mov $0x3333, %%r13; mov $0x4444, %%r14\n"
        "mov $0x5555, %%r8; mov $0x6666, %%r9; mov $0x7777, %%r10\n"
        "dec %[times]; jnz 1b\n"
        "2:"
        : "=&a"(last), "=&D"(changed), [times] "+r"(times)
        : [fd] "r"(fd)
        : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "xmm3", "cc", "memory");
    ASSERT_EQ(changed, 0);
    return last;
}

static void *caller(void *argument)
{
    int me = (int)(intptr_t)argument;
    char name[] = "file-0";
    name[5] = (char)('0' + me);
    int fd = SYS(open(name, O_RDWR | O_CREAT, 0600));
    int64_t start = now_ns(CLOCK_MONOTONIC);
    for (long made = 100; ms_since(start) < MS; made += 100) {
        ASSERT_EQ(moves(fd, 100), made);
        if (atomic_load(&turn) % THREADS == me) atomic_fetch_add(&turn, 1);
    }
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(caller, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    // More than one turn each.
    ASSERT_GT(turn, THREADS);
    return 0;
}
