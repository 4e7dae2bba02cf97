// Setting a pending signal to be ignored discards it, for the process and for a thread.
#include "coop-test.h"

static void handler(int number)
{
    FAIL("handler of %d", number);
}

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGUSR1), pending;
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    on_signal(SIGUSR1, handler, 0);
    SYS(kill(getpid(), SIGUSR1));
    OK(pthread_kill(pthread_self(), SIGUSR1));
    SYS(sigpending(&pending));
    ASSERT(sigismember(&pending, SIGUSR1));
    on_signal(SIGUSR1, SIG_IGN, 0);
    SYS(sigpending(&pending));
    ASSERT(!sigismember(&pending, SIGUSR1));
    on_signal(SIGUSR1, handler, 0);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t other = spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    body(NULL);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
