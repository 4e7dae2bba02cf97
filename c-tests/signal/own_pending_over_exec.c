// A thread's own pending signals go along when that thread calls exec, and are still its own when exec fails.
#include "coop-test.h"

static char *self;

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGRTMIN + 1);
    siginfo_t info;
    struct timespec none = {0, 0};
    OK(pthread_sigqueue(pthread_self(), SIGRTMIN + 1, (union sigval){.sival_int = 6}));
    OK(pthread_sigqueue(pthread_self(), SIGRTMIN + 1, (union sigval){.sival_int = 7}));
    FAILS(execl("/nonexistent/program", "x", NULL), ENOENT);
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGRTMIN + 1);
    ASSERT_EQ(info.si_value.sival_int, 6);
    SYS(execl(self, self, "again", NULL));
    return unused;
}

int main(int count, char **arguments)
{
    sigset_t set = signal_set(SIGRTMIN + 1);
    if (count == 1) {
        self = arguments[0];
        OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
        join(spawn(body, NULL));
        FAIL("exec came back");
    }
    siginfo_t info;
    struct timespec none = {0, 0};
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGRTMIN + 1);
    ASSERT_EQ(info.si_value.sival_int, 7);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    return 0;
}
