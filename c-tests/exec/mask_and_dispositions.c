// A new program begins with the mask of the thread that started it, and with ignored signals ignored, caught ones at their default.
#include "coop-test.h"

static void handler(int signal)
{
    (void)signal;
}

static void *execs(void *unused)
{
    (void)unused;
    sigset_t mask = signal_set(SIGUSR2);
    OK(pthread_sigmask(SIG_SETMASK, &mask, NULL));
    // SIGUSR1 (10) caught, SIGUSR2 (12) blocked, SIGWINCH (28) ignored.
    execl("/bin/sh", "sh", "-c",
          "while read name value; do case $name in\n"
          "SigBlk:) test $((0x$value)) = 2048 || exit 2;;\n"
          "SigIgn:) test $((0x$value & 0x8000200)) = $((0x8000000)) || exit 3;;\n"
          "SigCgt:) test $((0x$value & 0x200)) = 0 || exit 4;;\n"
          "esac; done < /proc/self/status; exit 7",
          (char *)NULL);
    FAIL("exec came back");
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGWINCH, SIG_IGN, 0);
    pid_t child = SYS(fork());
    if (child == 0) {
        spawn(execs, NULL);
        for (;;) pause();
    }
    ASSERT_EQ(finish(child), 7);
    // And natively, from a process that has had threads.
    spawn(pause_for_ever, NULL);
    child = SYS(fork());
    if (child == 0) execs(NULL);
    ASSERT_EQ(finish(child), 7);
    return 0;
}
