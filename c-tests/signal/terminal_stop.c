// SIGTSTP's default action, raised by a thread, stops the process; SIGCONT's handler runs when it goes on.
#include "coop-test.h"

static _Atomic int continued;

static void on_continue(int number)
{
    (void)number;
    continued++;
}

static void *body(void *unused)
{
    OK(pthread_kill(pthread_self(), SIGTSTP));
    UNTIL(continued == 1);
    SYS(kill(getpid(), SIGTTIN));
    UNTIL(continued == 2);
    return unused;
}

int main(void)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        // In a process group that is not orphaned, or the kernel ignores the stop.
        SYS(setpgid(0, 0));
        on_signal(SIGCONT, on_continue, SA_RESTART);
        join(spawn(body, NULL));
        _exit(4);
    }
    pthread_t other = spawn(pause_for_ever, NULL);
    int status, wanted[] = {SIGTSTP, SIGTTIN};
    for (int i = 0; i < 2; i++) {
        ASSERT_EQ(SYS(waitpid(child, &status, WUNTRACED)), child);
        ASSERT(WIFSTOPPED(status));
        ASSERT_EQ(WSTOPSIG(status), wanted[i]);
        SYS(kill(child, SIGCONT));
    }
    ASSERT_EQ(finish(child), 4);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
