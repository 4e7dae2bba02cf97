// A thread that recurses without end hits its guard and dies of SIGSEGV; its neighbours' stacks are untouched.
#include "coop-test.h"

static volatile int always = 1;

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char frame[2048];
    frame[0] = (char)depth;
    int below = always ? recurse(depth + 1) : 0;
    return below + frame[0];
}

static void *overflow(void *unused)
{
    (void)unused;
    return (void *)(intptr_t)recurse(0);
}

int main(void)
{
    for (int round = 0; round < 3; round++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            spawn_small(pause_for_ever, NULL);
            pthread_t thread = round == 0 ? spawn(overflow, NULL) : spawn_small(overflow, NULL);
            spawn_small(pause_for_ever, NULL);
            join(thread);
            _exit(0);
        }
        ASSERT_EQ(finish(child), 128 + SIGSEGV);
    }
    return 0;
}
