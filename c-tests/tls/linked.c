// __thread variables of a linked library, reached by its functions and directly.
// link: lib/counter.c
#include "coop-test.h"

extern __thread int counter;
int count(void);
int *where(void);

static void *body(void *argument)
{
    int steps = (int)(intptr_t)argument;
    ASSERT_EQ(counter, 100);
    for (int i = 1; i <= steps; i++) {
        ASSERT_EQ(count(), 100 + i);
        sched_yield();
    }
    sleep_ms(1);
    ASSERT_EQ(counter, 100 + steps);
    ASSERT_PTR(where(), &counter);
    return NULL;
}

int main(void)
{
    pthread_t threads[20];
    for (intptr_t i = 0; i < 20; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 20; i++) join(threads[i]);
    ASSERT_EQ(counter, 100);
    return 0;
}
