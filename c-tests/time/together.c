// 1,000 sleepers of 300 ms sleep at the same time, not one after the other.
#include "coop-test.h"

#define THREADS 1000

static void *body(void *unused)
{
    (void)unused;
    int64_t start = now_ns(CLOCK_MONOTONIC);
    sleep_ms(300);
    ASSERT_GE(ms_since(start), 300);
    return NULL;
}

int main(void)
{
    static pthread_t threads[THREADS];
    int64_t start = now_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(body, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    // One after the other they would take five minutes.
    ASSERT_LT(ms_since(start), 25000);
    return 0;
}
