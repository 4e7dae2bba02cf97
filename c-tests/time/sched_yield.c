// sched_yield lets the others run: two threads that each wait for the other by yielding keep in step.
#include "coop-test.h"

static _Atomic long steps[2];

static void *body(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int i = 0; i < 2000; i++) {
        steps[me]++;
        while (steps[!me] < steps[me]) ASSERT_EQ(sched_yield(), 0);
        ASSERT_LE(steps[!me] - steps[me], 1);
    }
    return NULL;
}

int main(void)
{
    pthread_t one = spawn(body, (void *)0), two = spawn(body, (void *)1);
    join(one);
    join(two);
    ASSERT_EQ(steps[0] + steps[1], 4000);
    return 0;
}
