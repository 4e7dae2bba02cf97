// expect-exit: 139
// A fault in the handler of the same signal, which is blocked there, ends the process.
#include "coop-test.h"

static void handler(int number)
{
    (void)number;
    *(volatile int *)32 = 1;
}

static void *body(void *unused)
{
    *(volatile int *)16 = 1;
    return unused;
}

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    return 0;
}
