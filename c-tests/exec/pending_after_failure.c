// A thread's pending signals are still there, once each, when its exec has failed.
#include "coop-test.h"

static volatile int count;

static void handler(int signal)
{
    (void)signal;
    count++;
}

static void *tries(void *unused)
{
    (void)unused;
    sigset_t set = signal_set(SIGRTMIN), pending;
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (int i = 0; i < 3; i++) OK(pthread_kill(pthread_self(), SIGRTMIN));
    for (int i = 0; i < 5; i++) FAILS(execl("/nowhere", "nowhere", (char *)NULL), ENOENT);
    SYS(sigpending(&pending));
    ASSERT_EQ(sigismember(&pending, SIGRTMIN), 1);
    ASSERT_EQ(count, 0);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(count, 3);
    return NULL;
}

int main(void)
{
    on_signal(SIGRTMIN, handler, 0);
    join(spawn(tries, NULL));
    return 0;
}
