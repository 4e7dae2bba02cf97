// A signal's handler ends a wait for a child with EINTR, or with SA_RESTART lets it go on, on the thread that waits.
#include "coop-test.h"

static pid_t child;
static volatile int ready, done, handled;

static void handler(int signal)
{
    (void)signal;
    handled++;
}

static void *waits(void *restart)
{
    int status;
    ready = 1;
    if (restart == NULL) {
        FAILS(waitpid(child, &status, 0), EINTR);
        done = 1;
        return NULL;
    }
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    on_signal(SIGUSR2, handler, SA_RESTART);
    child = SYS(fork());
    if (child == 0)
        for (;;) pause();
    pthread_t thread = spawn(waits, NULL);
    UNTIL(ready);
    while (!done) {
        OK(pthread_kill(thread, SIGUSR1));
        sleep_ms(5);
    }
    join(thread);
    ready = handled = 0;
    thread = spawn(waits, &child);
    UNTIL(ready);
    let_others_block();
    OK(pthread_kill(thread, SIGUSR2));
    UNTIL(handled);
    SYS(kill(child, SIGKILL));
    join(thread);
    return 0;
}
