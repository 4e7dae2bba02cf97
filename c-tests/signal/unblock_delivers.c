// What another process sent while all threads blocked it is pending for each of them, and runs its handler before the unblocking returns.
#include "coop-test.h"

static __thread volatile int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGUSR1), pending;
    pid_t child = SYS(fork());
    if (child == 0) _exit(kill(getppid(), SIGUSR1));
    ASSERT_EQ(finish(child), 0);
    SYS(sigpending(&pending));
    ASSERT(sigismember(&pending, SIGUSR1));
    ASSERT_EQ(handled, 0);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(handled, 1);
    SYS(sigpending(&pending));
    ASSERT(!sigismember(&pending, SIGUSR1));
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1);
    on_signal(SIGUSR1, handler, 0);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t other = spawn(pause_for_ever, NULL);
    for (int i = 0; i < 3; i++) {
        join(spawn(body, NULL));
        handled = 0;
        body(NULL);
    }
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
