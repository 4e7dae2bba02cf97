// The kernel clears flags that it does not know, and never blocks SIGKILL and SIGSTOP: an action reads back as it kept it.
#include "coop-test.h"

struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    unsigned long mask;
};

static void handler(int number)
{
    (void)number;
}

static void *body(void *unused)
{
    const unsigned long unblockable = 1UL << (SIGKILL - 1) | 1UL << (SIGSTOP - 1);
    const int numbers[] = {SIGUSR1, SIGSEGV, SIGSTKFLT, SIGCHLD, SIGRTMIN + 3};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        // SA_UNSUPPORTED and some more; the restorer is libc's affair.
        struct kernel_action action = {handler, SA_RESTART | SA_ONSTACK | 0x400 | 0x00700000, NULL, ~0UL}, kept;
        SYS(syscall(SYS_rt_sigaction, numbers[i], &action, NULL, 8));
        SYS(syscall(SYS_rt_sigaction, numbers[i], NULL, &kept, 8));
        ASSERT_EQ(kept.flags, (unsigned long)(SA_RESTART | SA_ONSTACK));
        ASSERT_EQ(kept.mask, ~unblockable);
        ASSERT_EQ(kept.handler == (void *)handler, 1);
        memset(&action, 0, sizeof action);
        SYS(syscall(SYS_rt_sigaction, numbers[i], &action, NULL, 8));
    }
    return unused;
}

int main(void)
{
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
