// Signals flood a process whose thread only computes, faster than its handler runs: it survives, and goes on.
// A handler that could be struck again before its first instruction would fill whatever stack it runs on.
#include "coop-test.h"

enum { SENDERS = 3, EACH = 200000 };
static volatile int stop, handled;

static void count(int signal)
{
    (void)signal;
    handled++;
}

static void *computes(void *unused)
{
    (void)unused;
    volatile unsigned long n = 0;
    while (!stop) n++;
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_handler = count};
    SYS(sigaction(SIGUSR1, &action, NULL));
    pid_t parent = getpid(), children[SENDERS];
    pthread_t thread = spawn(computes, NULL);
    for (int i = 0; i < SENDERS; i++) {
        children[i] = SYS(fork());
        if (children[i] == 0) {
            for (int n = 0; n < EACH; n++) SYS(kill(parent, SIGUSR1));
            _exit(0);
        }
    }
    // The main thread lets none in: all are for the one that computes.
    sigset_t all;
    sigfillset(&all);
    OK(pthread_sigmask(SIG_BLOCK, &all, NULL));
    for (int i = 0; i < SENDERS; i++) ASSERT_EQ(finish(children[i]), 0);
    UNTIL(handled > 0);
    stop = 1;
    join(thread);
    return 0;
}
