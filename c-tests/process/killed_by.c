// A signal that kills the process ends all its threads, and its parent sees which: sent from outside, raised, or a fault in a thread.
#include "coop-test.h"

static volatile int *nowhere;

static void *ends(void *argument)
{
    int signal = (int)(intptr_t)argument;
    if (signal == SIGSEGV) return (void *)(intptr_t)*nowhere;
    if (signal == SIGABRT) abort();
    if (signal != SIGTERM) raise(signal);
    for (;;) pause();
    return NULL;
}

int main(void)
{
    int signals[] = {SIGTERM, SIGKILL, SIGABRT, SIGSEGV, SIGUSR1, SIGPIPE, SIGALRM, SIGQUIT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            spawn_small(pause_for_ever, NULL);
            spawn_small(ends, (void *)(intptr_t)signals[i]);
            for (;;) pause();
        }
        if (signals[i] == SIGTERM) SYS(kill(child, SIGTERM));
        ASSERT_EQ(finish(child), 128 + signals[i]);
    }
    return 0;
}
