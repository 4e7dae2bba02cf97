// Signals that wait for a thread that blocks them, its own and the process's, wait for the program that it becomes.
#include "coop-test.h"

static void *execs(void *unused)
{
    (void)unused;
    raise(SIGUSR1);
    kill(getpid(), SIGUSR2);
    // The new program lets them come: bits 9 and 11 of its own and its process's pending sets.
    execl("/bin/sh", "sh", "-c",
          "while read name value; do case $name in\n"
          "SigPnd:) own=$value;; ShdPnd:) all=$value;;\n"
          "esac; done < /proc/self/status; test $(((0x$own | 0x$all) & 0xa00)) = 2560",
          (char *)NULL);
    FAIL("exec came back");
}

int main(void)
{
    sigset_t both = signal_set(SIGUSR1);
    sigaddset(&both, SIGUSR2);
    pid_t child = SYS(fork());
    if (child == 0) {
        OK(pthread_sigmask(SIG_BLOCK, &both, NULL));
        spawn(execs, NULL);
        for (;;) pause();
    }
    ASSERT_EQ(finish(child), 0);
    return 0;
}
