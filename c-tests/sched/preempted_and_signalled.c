// A thread that computes without a call takes signals all the same, each once, and a cancellation of the asynchronous kind.
// env: COOP_SLICE=1
#include "coop-test.h"

enum { SIGNALS = 10 };

static _Atomic int handled, started;
static volatile unsigned long work;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *computes(void *unused)
{
    OK(pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL));
    started = 1;
    for (;;) work++;
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t thread = spawn(computes, NULL);
    UNTIL(started);
    for (int i = 1; i <= SIGNALS; i++) {
        OK(pthread_kill(thread, SIGUSR1));
        UNTIL(handled == i);
    }
    unsigned long before = work;
    UNTIL(work != before);
    OK(pthread_cancel(thread));
    ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    return 0;
}
