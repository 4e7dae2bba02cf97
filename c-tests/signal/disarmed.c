// Who disarms a timer, and then lets its signal do what it does by default, is not killed by one that came just before; and no handler runs later.
#include "coop-test.h"
#include <sys/time.h>

enum { ROUNDS = 3000 };
static volatile int allowed, came;

static void handler(int signal)
{
    (void)signal;
    ASSERT(allowed);
    came++;
}

static void *idle(void *unused)
{
    for (;;) pause();
    return unused;
}

int main(void)
{
    sigset_t all, mine;
    sigfillset(&all);
    OK(pthread_sigmask(SIG_SETMASK, &all, &mine));
    spawn(idle, NULL);
    OK(pthread_sigmask(SIG_SETMASK, &mine, NULL));
    for (int round = 0; round < ROUNDS; round++) {
        struct itimerval soon = {.it_value.tv_usec = 20 + round % 50, .it_interval.tv_usec = 20}, never = {0};
        allowed = 1;
        on_signal(SIGALRM, handler, SA_RESTART);
        SYS(setitimer(ITIMER_REAL, &soon, NULL));
        int64_t until = now_ns(CLOCK_MONOTONIC) + (round % 200) * 1000;
        while (now_ns(CLOCK_MONOTONIC) < until) {}
        SYS(setitimer(ITIMER_REAL, &never, NULL));
        allowed = 0;
        on_signal(SIGALRM, SIG_DFL, 0);
    }
    ASSERT_GT(came, 0);
    return 0;
}
