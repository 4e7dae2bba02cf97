// SIGCONT discards pending stop signals and these discard it, whether they were sent to the process or to a thread.
#include "coop-test.h"

static const int numbers[] = {SIGCONT, SIGTSTP, SIGTTIN, SIGTTOU};

// What of these is pending: one bit each.
static int pending(void)
{
    sigset_t set;
    int found = 0;
    SYS(sigpending(&set));
    for (int i = 0; i < 4; i++)
        if (sigismember(&set, numbers[i])) found |= 1 << i;
    return found;
}

static void discard(void)
{
    sigset_t set;
    struct timespec none = {0, 0};
    sigemptyset(&set);
    for (int i = 0; i < 4; i++) sigaddset(&set, numbers[i]);
    while (sigtimedwait(&set, NULL, &none) > 0) {}
    ASSERT_EQ(pending(), 0);
}

static void post(int to_thread, int number)
{
    if (to_thread) OK(pthread_kill(pthread_self(), number));
    else SYS(kill(getpid(), number));
}

static void *body(void *unused)
{
    for (int ways = 0; ways < 4; ways++) {
        int first = ways & 1, second = ways >> 1;
        post(first, SIGTSTP);
        post(first, SIGTTIN);
        ASSERT_EQ(pending(), 2 | 4);
        post(second, SIGCONT);
        ASSERT_EQ(pending(), 1);
        post(first, SIGTTOU);
        ASSERT_EQ(pending(), 8);
        discard();
        SYS(sigqueue(getpid(), SIGTSTP, (union sigval){.sival_int = 1}));
        SYS(sigqueue(getpid(), SIGCONT, (union sigval){.sival_int = 1}));
        ASSERT_EQ(pending(), 1);
        discard();
    }
    return unused;
}

static int ends[2];

static void *other(void *unused)
{
    char byte;
    SYS(read(ends[0], &byte, 1));
    ASSERT_EQ(pending(), 1);
    return unused;
}

int main(void)
{
    sigset_t all;
    sigfillset(&all);
    OK(pthread_sigmask(SIG_BLOCK, &all, NULL));
    body(NULL);
    join(spawn(body, NULL));
    // Another thread's own.
    SYS(pipe(ends));
    pthread_t thread = spawn(other, NULL);
    OK(pthread_kill(thread, SIGTSTP));
    SYS(kill(getpid(), SIGCONT));
    SYS(write(ends[1], "x", 1));
    join(thread);
    return 0;
}
