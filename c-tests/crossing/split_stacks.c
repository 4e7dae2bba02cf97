// Code compiled with -fsplit-stack grows its stack by itself, in every thread, and may wait in the middle of it.
// libs: -fsplit-stack
#include "coop-test.h"

// Sixteen times 64 KiB: more than the thread's stack has.
__attribute__((noinline)) static int deep(int level)
{
    volatile char frame[64 << 10];
    for (size_t i = 0; i < sizeof frame; i += 4096) frame[i] = (char)level;
    if (level == 8) sleep_ms(1);
    int below = level == 0 ? 0 : deep(level - 1);
    ASSERT_EQ(frame[4096], (char)level);
    return below + 1;
}

static void *body(void *unused)
{
    for (int i = 0; i < 3; i++) ASSERT_EQ(deep(16), 17);
    return unused;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn_small(body, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
