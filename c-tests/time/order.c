// A hundred sleepers wake in the order of their deadlines, not of their creation.
//
// Their deadlines come in five groups 200 ms apart: within a group the scheduler may choose.
#include "coop-test.h"

#define THREADS 100

static int64_t start;
static _Atomic int woken;
static int order[THREADS];

static void *body(void *argument)
{
    int group = (int)(intptr_t)argument % 5;
    struct timespec deadline = to_timespec(start + (100 + (4 - group) * 200) * NS_PER_MS);
    OK(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, NULL));
    order[woken++] = 4 - group;
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    start = now_ns(CLOCK_MONOTONIC);
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn_small(body, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < THREADS; i++) ASSERT_EQ(order[i], i / 20);
    return 0;
}
