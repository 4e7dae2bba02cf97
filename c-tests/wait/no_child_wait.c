// SA_NOCLDWAIT: no status is left, and the handler of SIGCHLD still runs.
#include "coop-test.h"

static volatile int handled;

static void handler(int signal)
{
    (void)signal;
    handled = 1;
}

static void *waits(void *unused)
{
    (void)unused;
    while (waitpid(-1, NULL, 0) == -1 && errno == EINTR) continue;
    ASSERT_EQ(errno, ECHILD);
    return NULL;
}

int main(void)
{
    on_signal(SIGCHLD, handler, SA_NOCLDWAIT);
    spawn(pause_for_ever, NULL);
    pid_t child = SYS(fork());
    if (child == 0) {
        sleep_ms(20);
        _exit(1);
    }
    join(spawn(waits, NULL));
    UNTIL(handled);
    FAILS(waitpid(child, NULL, WNOHANG), ECHILD);
    return 0;
}
