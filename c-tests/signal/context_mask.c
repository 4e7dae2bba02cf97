// A handler that changes the mask in its ucontext changes what its thread blocks from its return on.
#include "coop-test.h"
#include <ucontext.h>

static __thread volatile int handled;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)info;
    if (number == SIGUSR1) sigaddset(&((ucontext_t *)context)->uc_sigmask, SIGUSR2);
    else handled++;
}

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGUSR2), now;
    handled = 0;
    raise(SIGUSR1);
    OK(pthread_sigmask(SIG_BLOCK, NULL, &now));
    ASSERT(sigismember(&now, SIGUSR2));
    ASSERT(!sigismember(&now, SIGUSR1));
    raise(SIGUSR2);
    ASSERT_EQ(handled, 0);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(handled, 1);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGUSR1, &action, NULL));
    SYS(sigaction(SIGUSR2, &action, NULL));
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
