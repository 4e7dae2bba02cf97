// expect-exit: 139
// A fault whose signal the thread blocks ends the process, handler or not.
#include "coop-test.h"

static void handler(int number)
{
    FAIL("handler of %d", number);
}

static void *body(void *unused)
{
    *(volatile int *)16 = 1;
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGSEGV);
    on_signal(SIGSEGV, handler, 0);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    return 0;
}
