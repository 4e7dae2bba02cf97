// alarm interrupts a main thread that waits in a read, though other threads wait too.
#include "coop-test.h"

static _Atomic int handled;

static void handler(int number)
{
    ASSERT_EQ(number, SIGALRM);
    handled++;
}

static void *blocking(void *unused)
{
    (void)unused;
    sigset_t set = signal_set(SIGALRM);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    return pause_for_ever(NULL);
}

int main(void)
{
    int ends[2];
    char byte;
    SYS(pipe(ends));
    on_signal(SIGALRM, handler, 0);
    pthread_t thread = spawn(blocking, NULL);
    let_others_block();
    int64_t start = now_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(alarm(1), 0);
    FAILS(read(ends[0], &byte, 1), EINTR);
    ASSERT_GE(ms_since(start), 990);
    ASSERT_EQ(handled, 1);
    OK(pthread_cancel(thread));
    join(thread);
    return 0;
}
