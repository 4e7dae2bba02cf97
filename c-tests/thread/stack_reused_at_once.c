// A thread that begins on the stack of one that just ended keeps what it puts there, however deep, while everybody waits.
#include "coop-test.h"

enum { DEPTH = 24, FRAME = 8192, ROUNDS = 60 };

static int down(unsigned seed, int depth, int wait)
{
    volatile unsigned frame[FRAME / sizeof(unsigned)];
    for (unsigned i = 0; i < FRAME / sizeof(unsigned); i++) frame[i] = seed + i;
    if (depth > 0)
        ASSERT_EQ(down(seed + 1, depth - 1, wait), depth - 1);
    else if (wait)
        sleep_ms(wait);
    for (unsigned i = 0; i < FRAME / sizeof(unsigned); i++) ASSERT_EQ(frame[i], seed + i);
    return depth;
}

static void *body(void *argument)
{
    intptr_t wait = (intptr_t)argument;
    down((unsigned)wait * 77, DEPTH, (int)wait);
    return NULL;
}

int main(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        join(spawn(body, (void *)0));
        pthread_t threads[3];
        for (intptr_t i = 0; i < 3; i++) threads[i] = spawn(body, (void *)(i == round % 3 ? (intptr_t)0 : 1));
        for (int i = 0; i < 3; i++) join(threads[i]);
    }
    return 0;
}
