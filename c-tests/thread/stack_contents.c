// Each of 200 threads keeps its own locals over many waits: no two stacks overlap.
#include "coop-test.h"

static void *body(void *argument)
{
    unsigned char mark = (unsigned char)(uintptr_t)argument;
    volatile unsigned char locals[16 << 10];
    for (size_t i = 0; i < sizeof locals; i++) locals[i] = mark;
    for (int round = 0; round < 5; round++) {
        sleep_ms(1);
        for (size_t i = 0; i < sizeof locals; i++) ASSERT_EQ(locals[i], mark);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[200];
    for (size_t i = 0; i < 200; i++) threads[i] = spawn_small(body, (void *)i);
    for (int i = 0; i < 200; i++) join(threads[i]);
    return 0;
}
