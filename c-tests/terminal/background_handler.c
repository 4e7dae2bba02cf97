// A handler for SIGTTIN runs when a thread reads in the background, and without SA_RESTART the read fails with EINTR.
#include "terminal.h"

static int master;
static _Atomic int handled;

static void count(int number)
{
    ASSERT_EQ(number, SIGTTIN);
    handled++;
}

static void *body(void *fd)
{
    char byte;
    sigset_t set = signal_set(SIGTTIN);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    FAILS(read(*(int *)fd, &byte, 1), EINTR);
    ASSERT_GT(handled, 0);
    return NULL;
}

static int shell(int slave)
{
    // Only the reader takes the signal.
    sigset_t set = signal_set(SIGTTIN);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    on_signal(SIGTTIN, count, 0);
    ASSERT_EQ(finish(job(body, slave)), 0);
    return 0;
}

int main(void)
{
    ASSERT_EQ(in_session(&master, shell), 0);
    return 0;
}
