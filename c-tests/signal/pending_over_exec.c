// Blocked signals that are pending for the process are pending for the program that it becomes by exec, with the mask.
#include "coop-test.h"

static char *self;

static void *body(void *unused)
{
    SYS(kill(getpid(), SIGUSR1));
    SYS(sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = 5}));
    SYS(execl(self, self, "again", NULL));
    return unused;
}

int main(int count, char **arguments)
{
    sigset_t set = signal_set(SIGUSR1), now;
    sigaddset(&set, SIGRTMIN + 3);
    if (count == 1) {
        self = arguments[0];
        OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
        join(spawn(body, NULL));
        FAIL("exec came back");
    }
    siginfo_t info;
    struct timespec none = {0, 0};
    OK(pthread_sigmask(SIG_BLOCK, NULL, &now));
    ASSERT(sigismember(&now, SIGUSR1) && sigismember(&now, SIGRTMIN + 3));
    SYS(sigpending(&now));
    ASSERT(sigismember(&now, SIGUSR1) && sigismember(&now, SIGRTMIN + 3));
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGUSR1);
    ASSERT_EQ(info.si_code, SI_USER);
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGRTMIN + 3);
    ASSERT_EQ(info.si_value.sival_int, 5);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    return 0;
}
