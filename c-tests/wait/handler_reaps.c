// A SIGCHLD handler that reaps all it finds: none of fifty children is lost, though the signal counts only once at a time.
#include "coop-test.h"

enum { CHILDREN = 50 };
static volatile int reaped;

static void handler(int signal)
{
    int saved = errno;
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0) reaped++;
    errno = saved;
}

static void *forks(void *unused)
{
    (void)unused;
    for (int i = 0; i < CHILDREN / 2; i++)
        if (SYS(fork()) == 0) _exit(0);
    return NULL;
}

int main(void)
{
    // On one thread only: the count is not atomic.
    sigset_t set = signal_set(SIGCHLD);
    on_signal(SIGCHLD, handler, SA_RESTART);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t one = spawn(forks, NULL), two = spawn(forks, NULL);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    join(one);
    join(two);
    UNTIL(reaped == CHILDREN);
    FAILS(waitpid(-1, NULL, WNOHANG), ECHILD);
    return 0;
}
