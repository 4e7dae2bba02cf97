// The status of a process that a signal ends, sent from outside while its threads wait and compute: the signal, and the core flag
// of those that dump one only if the limit allows it.
#include "coop-test.h"
#include <sys/resource.h>

static void *compute(void *unused)
{
    for (;;) __asm__ volatile("pause");
    return unused;
}

int main(void)
{
    int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGKILL, SIGQUIT, SIGXCPU, SIGSEGV, SIGFPE, SIGPIPE, SIGALRM, SIGUSR1, SIGRTMIN + 4};
    struct rlimit none = {0, 0};
    SYS(setrlimit(RLIMIT_CORE, &none));
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int ends[2], status;
        char byte;
        SYS(pipe(ends));
        pid_t child = SYS(fork());
        if (child == 0) {
            signal(SIGINT, SIG_DFL);
            signal(SIGQUIT, SIG_DFL);
            spawn(pause_for_ever, NULL);
            if (i % 2) spawn(compute, NULL);
            SYS(write(ends[1], "x", 1));
            for (;;) pause();
        }
        read_all(ends[0], &byte, 1);
        SYS(kill(child, numbers[i]));
        ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
        ASSERT(WIFSIGNALED(status));
        ASSERT_EQ(WTERMSIG(status), numbers[i]);
        ASSERT(!WCOREDUMP(status));
        close(ends[0]);
        close(ends[1]);
    }
    return 0;
}
