// _exit by a thread ends the process at once: no handlers, nothing flushed.
// expect-exit: 7
#include "coop-test.h"

static void never(void) { puts("not to be seen"); }

static void *body(void *unused)
{
    (void)unused;
    printf("not to be seen either");
    sleep_ms(5);
    _exit(7);
}

int main(void)
{
    atexit(never);
    for (int i = 0; i < 100; i++) spawn_small(pause_for_ever, NULL);
    join(spawn(body, NULL));
    FAIL("the thread that ends the process was joined");
}
