// exit by a thread runs the atexit handlers once, flushes stdio and ends the process while main waits.
// expect-exit: 6
#include "coop-test.h"

static void first(void) { puts("first registered"); }
static void last(void) { puts("last registered"); }

static void *body(void *unused)
{
    (void)unused;
    printf("before the end, ");
    exit(6);
}

int main(void)
{
    atexit(first);
    atexit(last);
    for (int i = 0; i < 3; i++) spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    FAIL("the thread that ends the process was joined");
}
