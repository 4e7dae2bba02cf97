// raise(3) and pthread_kill(3) of a fault's signal reach the thread's handler as SI_TKILL; blocked, it stays pending.
#include "coop-test.h"

static __thread volatile int handled;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGSEGV);
    ASSERT_EQ(info->si_code, SI_TKILL);
    ASSERT_EQ(info->si_pid, getpid());
    handled++;
}

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGSEGV), pending;
    raise(SIGSEGV);
    ASSERT_EQ(handled, 1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    OK(pthread_kill(pthread_self(), SIGSEGV));
    ASSERT_EQ(handled, 1);
    SYS(sigpending(&pending));
    ASSERT(sigismember(&pending, SIGSEGV));
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(handled, 2);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGSEGV, &action, NULL));
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
