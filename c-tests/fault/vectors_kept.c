// A fault's handler that uses vector registers and floating point leaves those of the code that met the fault alone.
// libs: -lm
#include "coop-test.h"
#include <fenv.h>
#include <ucontext.h>

static volatile double scratch = 1.5;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    // Another rounding mode and other contents, while it runs.
    fesetround(FE_UPWARD);
    for (int i = 0; i < 8; i++) scratch = scratch * 1.01 + i;
    __asm__ volatile("pcmpeqd %%xmm6, %%xmm6\n pcmpeqd %%xmm15, %%xmm15" : : : "xmm6", "xmm15");
    sched_yield();
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void *body(void *argument)
{
    uint64_t mine = 0x1234567800000000 + (uintptr_t)argument, six, fifteen;
    ASSERT_EQ(fesetround(FE_DOWNWARD), 0);
    for (int i = 0; i < 100; i++) {
        // movb (%rax), %al is 8a 00.
        __asm__ volatile("movq %2, %%xmm6\n movq %2, %%xmm15\n xor %%eax, %%eax\n .byte 0x8a, 0x00\n"
                         "movq %%xmm6, %0\n movq %%xmm15, %1"
                         : "=r"(six), "=r"(fifteen) : "r"(mine) : "rax", "xmm6", "xmm15");
        ASSERT_EQ(six, mine);
        ASSERT_EQ(fifteen, mine);
        ASSERT_EQ(fegetround(), FE_DOWNWARD);
    }
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGSEGV, &action, NULL));
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
