// FUTEX_WAIT's time-out is relative and on the monotonic clock: ETIMEDOUT not early, zero is at once.
#include "coop-test.h"

static uint32_t word;

static void *body(void *argument)
{
    long ms = (long)(intptr_t)argument;
    struct timespec timeout = to_timespec(ms * NS_PER_MS);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(futex(&word, FUTEX_WAIT_PRIVATE, 0, &timeout, NULL, 0), ETIMEDOUT);
    ASSERT_GE(ms_since(start), ms);
    ASSERT_EQ(timeout.tv_sec * NS_PER_S + timeout.tv_nsec, ms * NS_PER_MS);
    return NULL;
}

int main(void)
{
    pthread_t threads[10];
    for (intptr_t i = 0; i < 10; i++) threads[i] = spawn(body, (void *)(i * 10));
    for (int i = 0; i < 10; i++) join(threads[i]);
    // Those who timed out wait no more.
    ASSERT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0);
    body((void *)5);
    return 0;
}
