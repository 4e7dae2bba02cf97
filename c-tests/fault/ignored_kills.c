// expect-exit: 139
// A fault whose signal is ignored ends the process all the same.
#include "coop-test.h"


static void *body(void *unused)
{
    *(volatile int *)16 = 1;
    return unused;
}

int main(void)
{
    SYS(signal(SIGSEGV, SIG_IGN) == SIG_ERR ? -1 : 0);
    spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    return 0;
}
