// A handler that interrupts a thread which makes one call after the other that never blocks finds it at its own code, behind the call's instruction.
#include "coop-test.h"
#include <stdatomic.h>
#include <ucontext.h>

enum { TIMES = 200 };

static atomic_int came, at_home, over;
extern char loop_begins[], loop_ends[];

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    const char *pc = (const char *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    if (pc >= loop_begins && pc <= loop_ends) at_home++;
    came++;
}

__attribute__((noinline, noclone)) static void calls(void)
{
    long result;
    int left = 1000;
    // A thousand times getppid.
    __asm__ volatile(
        ".globl loop_begins\nloop_begins:\n"
        "1: mov $110, %%eax\n"
        "syscall\n"
        "dec %[left]\n"
        "jnz 1b\n"
        ".globl loop_ends\nloop_ends:\n"
        : "=&a"(result), [left] "+r"(left)
        :
        : "rcx", "r11", "cc", "memory");
    ASSERT_EQ(result, getppid());
}

static void *caller(void *unused)
{
    while (!over) calls();
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGUSR1, &action, NULL));
    pthread_t thread = spawn(caller, NULL);
    for (int i = 0; i < TIMES; i++) {
        OK(pthread_kill(thread, SIGUSR1));
        UNTIL(came == i + 1);
    }
    over = 1;
    join(thread);
    // Now and then it is found elsewhere: where it begins again, or in what stands for the instructions beside a call's.
    ASSERT_GT(at_home, TIMES / 2);
    return 0;
}
