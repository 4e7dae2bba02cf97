// kill of the own process: the handler runs, once a signal, in a thread that does not block it.
#include "coop-test.h"

static _Atomic int handled;
static _Atomic pid_t where;

static void handler(int number)
{
    ASSERT_EQ(number, SIGUSR1);
    where = my_tid();
    handled++;
}

static void *blocking(void *unused)
{
    (void)unused;
    sigset_t set = signal_set(SIGUSR1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (;;) pause();
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(blocking, NULL);
    let_others_block();
    for (int i = 1; i <= 5; i++) {
        SYS(kill(getpid(), SIGUSR1));
        UNTIL(handled == i);
        ASSERT_EQ(where, my_tid());
    }
    for (int i = 0; i < 3; i++) {
        OK(pthread_cancel(threads[i]));
        join(threads[i]);
    }
    return 0;
}
