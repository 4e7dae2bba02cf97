// ppoll with a mask: a descriptor that is ready comes before a signal that the mask lets through, which stays pending.
#include "coop-test.h"

static __thread volatile int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *body(void *unused)
{
    int ends[2];
    sigset_t set = signal_set(SIGUSR1), open, pending;
    struct timespec none = {0, 0}, long_time = {30, 0};
    SYS(pipe(ends));
    sigemptyset(&open);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    OK(pthread_kill(pthread_self(), SIGUSR1));
    SYS(write(ends[1], "x", 1));
    struct pollfd one = {.fd = ends[0], .events = POLLIN};
    handled = 0;
    ASSERT_EQ(SYS(ppoll(&one, 1, &long_time, &open)), 1);
    ASSERT_EQ(handled, 0);
    SYS(sigpending(&pending));
    ASSERT(sigismember(&pending, SIGUSR1));
    read_all(ends[0], &(char){0}, 1);
    FAILS(ppoll(&one, 1, &long_time, &open), EINTR);
    ASSERT_EQ(handled, 1);
    ASSERT_EQ(SYS(ppoll(&one, 1, &none, &open)), 0);
    OK(pthread_sigmask(SIG_BLOCK, NULL, &pending));
    ASSERT(sigismember(&pending, SIGUSR1));
    close(ends[0]), close(ends[1]);
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
