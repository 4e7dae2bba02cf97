// A child's end raises SIGCHLD while threads wait; its handler may reap, and waiting calls are interrupted.
#include "coop-test.h"

static _Atomic int reaped;

static void handler(int number)
{
    (void)number;
    int saved = errno, status;
    pid_t child;
    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        ASSERT_EQ(WEXITSTATUS(status), 12);
        reaped++;
    }
    errno = saved;
}

int main(void)
{
    on_signal(SIGCHLD, handler, SA_RESTART);
    pthread_t thread = spawn(pause_for_ever, NULL);
    for (int i = 1; i <= 10; i++) {
        pid_t child = SYS(fork());
        if (child == 0) _exit(12);
        UNTIL(reaped == i);
    }
    OK(pthread_cancel(thread));
    join(thread);
    return 0;
}
