// A fault within the handler of another signal is handled there, and the interrupted wait goes on afterwards.
#include "coop-test.h"
#include <ucontext.h>

static _Atomic int faults, handled;
static int ends[2];

static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info;
    faults++;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void on_user(int number)
{
    (void)number;
    __asm__ volatile(".byte 0x8a, 0x00" : : "a"(0));
    sched_yield();
    __asm__ volatile(".byte 0x8a, 0x00" : : "a"(0));
    handled++;
}

static void *body(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGSEGV, &action, NULL));
    on_signal(SIGUSR1, on_user, SA_RESTART);
    SYS(pipe(ends));
    pthread_t thread = spawn(body, NULL);
    for (int i = 1; i <= 10; i++) {
        OK(pthread_kill(thread, SIGUSR1));
        UNTIL(handled == i);
    }
    SYS(write(ends[1], "x", 1));
    join(thread);
    ASSERT_EQ(faults, 20);
    return 0;
}
