// abort by a thread ends the process by SIGABRT while others wait.
// expect-exit: 134
#include "coop-test.h"

static void *body(void *unused)
{
    (void)unused;
    sleep_ms(5);
    abort();
}

int main(void)
{
    for (int i = 0; i < 10; i++) spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    FAIL("the thread that aborts was joined");
}
