// A hundred threads get their argument, and join returns each one's value.
#include "coop-test.h"

static void *square(void *argument)
{
    intptr_t n = (intptr_t)argument;
    sched_yield();
    return (void *)(n * n);
}

int main(void)
{
    pthread_t threads[100];
    for (intptr_t i = 0; i < 100; i++) threads[i] = spawn(square, (void *)i);
    for (intptr_t i = 99; i >= 0; i--) ASSERT_EQ((intptr_t)join(threads[i]), i * i);
    return 0;
}
