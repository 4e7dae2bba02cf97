// expect-exit: 136
// A division by zero without a handler ends the process by SIGFPE.
#include "coop-test.h"

static volatile int zero;

static void *body(void *unused)
{
    zero = 7 / zero;
    return unused;
}

int main(void)
{
    spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    return 0;
}
