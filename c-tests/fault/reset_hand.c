// expect-exit: 139
// SA_RESETHAND: the handler runs once; the second time the fault ends the process.
#include "coop-test.h"

static _Atomic int seen;

static void handler(int number)
{
    if (++seen > 1) FAIL("handler of %d ran again", number);
}

static void *body(void *unused)
{
    *(volatile int *)16 = 1;
    return unused;
}

int main(void)
{
    on_signal(SIGSEGV, handler, SA_RESETHAND);
    spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    return 0;
}
