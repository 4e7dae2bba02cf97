// Signals that are ignored, by choice or by default, end no wait; neither do those that stop and continue without a handler.
#include "coop-test.h"

static int ends[2];
static _Atomic int waiting, woken;

static void *body(void *argument)
{
    char byte;
    struct timespec time = {30, 0};
    waiting++;
    switch ((intptr_t)argument) {
    case 0: ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1); break;
    case 1: nanosleep(&time, NULL); FAIL("the sleep ended");
    case 2: pause(); FAIL("pause ended");
    }
    woken++;
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    on_signal(SIGUSR1, SIG_IGN, 0);
    pthread_t threads[3];
    for (intptr_t i = 0; i < 3; i++) threads[i] = spawn(body, (void *)i);
    UNTIL(waiting == 3);
    let_others_block();
    for (int i = 0; i < 3; i++) {
        OK(pthread_kill(threads[i], SIGUSR1));
        OK(pthread_kill(threads[i], SIGURG));
        OK(pthread_kill(threads[i], SIGCHLD));
        OK(pthread_kill(threads[i], SIGWINCH));
        SYS(kill(getpid(), SIGURG));
        SYS(kill(getpid(), SIGCONT));
    }
    let_others_block();
    ASSERT_EQ(woken, 0);
    SYS(write(ends[1], "x", 1));
    join(threads[0]);
    OK(pthread_cancel(threads[1]));
    OK(pthread_cancel(threads[2]));
    join(threads[1]);
    join(threads[2]);
    return 0;
}
