// expect-exit: 139
// A fault without a handler ends the process by its signal.
#include "coop-test.h"


static void *body(void *unused)
{
    *(volatile int *)16 = 1;
    return unused;
}

int main(void)
{
    spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    return 0;
}
