// A fault's handler finds the registers of the instruction that met it, and what it changes there holds when it returns.
#include "coop-test.h"
#include <ucontext.h>

static void handler(int number, siginfo_t *info, void *context)
{
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
    ASSERT_EQ(number, SIGSEGV);
    ASSERT_PTR(info->si_addr, (void *)0x10);
    ASSERT_EQ(info->si_code, SEGV_MAPERR);
    ASSERT_EQ(machine->gregs[REG_RBX], 0x1111);
    ASSERT_EQ(machine->gregs[REG_R12], 0x10);
    ASSERT_EQ(machine->gregs[REG_R15], 0x3333);
    ASSERT_EQ(machine->gregs[REG_TRAPNO], 14);
    ASSERT_EQ(machine->gregs[REG_CR2], 0x10);
    // A user's write to a page that is not there.
    ASSERT_EQ(machine->gregs[REG_ERR] & 7, 6);
    machine->gregs[REG_RBX] = 0x4444;
    // Past the four bytes of the store: movb $1, (%r12) is 41 c6 04 24 01.
    machine->gregs[REG_RIP] += 5;
}

static void *body(void *unused)
{
    for (int i = 0; i < 200; i++) {
        register long rbx __asm__("rbx") = 0x1111;
        register long r12 __asm__("r12") = 0x10;
        register long r15 __asm__("r15") = 0x3333;
        __asm__ volatile("movb $1, (%%r12)" : "+r"(rbx), "+r"(r12), "+r"(r15) : : "memory");
        ASSERT_EQ(rbx, 0x4444);
        ASSERT_EQ(r12, 0x10);
        ASSERT_EQ(r15, 0x3333);
        if (i % 50 == 0) sched_yield();
    }
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGSEGV, &action, NULL));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
    body(NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
