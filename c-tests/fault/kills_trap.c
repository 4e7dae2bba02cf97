// expect-exit: 133
// A breakpoint without a handler ends the process by SIGTRAP.
#include "coop-test.h"

static void *body(void *unused)
{
    __asm__ volatile("int3");
    return unused;
}

int main(void)
{
    spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    return 0;
}
