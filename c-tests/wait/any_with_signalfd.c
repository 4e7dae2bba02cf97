// wait for any child, while SIGCHLD is blocked and another thread reads it from a signalfd made before the first thread.
#include "coop-test.h"
#include <sys/signalfd.h>

#define CHILDREN 12

static int descriptor;
static _Atomic int reaped;

static void *reader(void *unused)
{
    struct signalfd_siginfo info;
    for (;;) {
        ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
        ASSERT_EQ(info.ssi_signo, SIGCHLD);
    }
    return unused;
}

static void *reaper(void *unused)
{
    for (int i = 0; i < CHILDREN; i++) {
        ASSERT_GT(SYS(waitpid(-1, NULL, 0)), 0);
        reaped++;
    }
    FAILS(waitpid(-1, NULL, 0), ECHILD);
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGCHLD);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    descriptor = SYS(signalfd(-1, &set, 0));
    int go[2];
    SYS(pipe(go));
    for (int i = 0; i < CHILDREN; i++)
        if (SYS(fork()) == 0) {
            char byte;
            _exit(read(go[0], &byte, 1) != 1);
        }
    pthread_t one = spawn(reader, NULL), two = spawn(reaper, NULL);
    for (int i = 1; i <= CHILDREN; i++) {
        SYS(write(go[1], "x", 1));
        // Two at a time, whose signals may be one.
        if (i % 2 == 0) UNTIL(reaped == i);
    }
    join(two);
    OK(pthread_cancel(one));
    join(one);
    return 0;
}
