// expect-exit: 139
// A stack overflow with a handler that has no other stack: there is no room for its frame, and the process ends by SIGSEGV.
#include "coop-test.h"

static volatile int always = 1;

static void handler(int number)
{
    FAIL("handler of %d without a stack", number);
}

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    int below = always ? recurse(depth + 1) : 0;
    return below + frame[0];
}

static void *body(void *unused)
{
    recurse(0);
    return unused;
}

int main(void)
{
    on_signal(SIGSEGV, handler, 0);
    spawn(pause_for_ever, NULL);
    join(spawn_small(body, NULL));
    return 0;
}
