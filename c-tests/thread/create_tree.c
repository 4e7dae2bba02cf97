// Threads create and join threads of their own: a binary tree of 255.
#include "coop-test.h"

static void *grow(void *argument)
{
    intptr_t depth = (intptr_t)argument;
    if (depth == 0) return (void *)1;
    pthread_t left = spawn_small(grow, (void *)(depth - 1));
    pthread_t right = spawn_small(grow, (void *)(depth - 1));
    return (void *)((intptr_t)join(left) + (intptr_t)join(right) + 1);
}

int main(void)
{
    ASSERT_EQ((intptr_t)join(spawn(grow, (void *)7)), 255);
    return 0;
}
