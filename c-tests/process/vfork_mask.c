// A vfork child begins with the signal mask of the thread that made it, and what it changes is its own.
#include "coop-test.h"

static void *parent(void *argument)
{
    int blocked_one = (int)(intptr_t)argument;
    sigset_t set = signal_set(blocked_one), now;
    OK(pthread_sigmask(SIG_SETMASK, &set, NULL));
    volatile int right = 0;
    pid_t child = vfork();
    if (child == 0) {
        sigset_t mine;
        sigprocmask(SIG_SETMASK, NULL, &mine);
        for (int i = 1; i < 32; i++) right += sigismember(&mine, i) == (i == blocked_one);
        sigfillset(&mine);
        sigprocmask(SIG_SETMASK, &mine, NULL);
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(right, 31);
    OK(pthread_sigmask(SIG_SETMASK, NULL, &now));
    for (int i = 1; i < 32; i++) ASSERT_EQ(sigismember(&now, i), i == blocked_one);
    return NULL;
}

int main(void)
{
    parent((void *)SIGUSR1);
    join(spawn(parent, (void *)SIGUSR2));
    join(spawn(parent, (void *)SIGHUP));
    parent((void *)SIGTERM);
    return 0;
}
