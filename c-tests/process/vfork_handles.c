// A vfork child has its parent's handlers, as they were set: their masks and flags hold, and what it does with them is its own.
#include "coop-test.h"

static pid_t parent;
static volatile int handled, wrong;

static int is_blocked(int number)
{
    sigset_t now;
    SYS(sigprocmask(SIG_BLOCK, NULL, &now));
    return sigismember(&now, number);
}

static void masks(int number, siginfo_t *info, void *context)
{
    (void)context;
    if (info->si_pid != getpid() || getpid() == parent) wrong = 1;
    if (!is_blocked(number) || !is_blocked(SIGUSR2) || is_blocked(SIGTERM)) wrong = 2;
    handled++;
}

static void nests(int number)
{
    if (is_blocked(number)) wrong = 3;
    if (handled++ < 5) raise(number);
}

static void once(int number)
{
    struct sigaction now;
    SYS(sigaction(number, NULL, &now));
    if (now.sa_handler != SIG_DFL) wrong = 4;
    handled++;
}

static void *forks(void *unused)
{
    pid_t child = vfork();
    if (child == 0) {
        raise(SIGUSR1);
        raise(SIGUSR1);
        if (handled != 2 || is_blocked(SIGUSR1) || is_blocked(SIGUSR2)) _exit(1);
        raise(SIGTERM);
        if (handled != 6) _exit(2);
        raise(SIGHUP);
        if (handled != 7) _exit(3);
        on_signal(SIGUSR1, SIG_IGN, 0);
        raise(SIGUSR1);
        if (handled != 7) _exit(4);
        raise(SIGHUP);
        _exit(5);
    }
    ASSERT_EQ(finish(SYS(child)), 128 + SIGHUP);
    ASSERT_EQ(wrong, 0);
    // The parent's are as they were.
    struct sigaction now;
    SYS(sigaction(SIGUSR1, NULL, &now));
    ASSERT_PTR(now.sa_sigaction, masks);
    ASSERT(sigismember(&now.sa_mask, SIGUSR2));
    SYS(sigaction(SIGHUP, NULL, &now));
    ASSERT_PTR(now.sa_handler, once);
    return unused;
}

int main(void)
{
    parent = getpid();
    struct sigaction action = {.sa_sigaction = masks, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaddset(&action.sa_mask, SIGUSR2);
    SYS(sigaction(SIGUSR1, &action, NULL));
    on_signal(SIGTERM, nests, SA_NODEFER);
    on_signal(SIGHUP, once, SA_RESETHAND);
    join(spawn(forks, NULL));
    return 0;
}
