// FUTEX_WAIT_BITSET's time-out is absolute, on the monotonic clock or with a flag the real-time one; a past one is at once.
#include "coop-test.h"

#define ANY FUTEX_BITSET_MATCH_ANY

static uint32_t word, last;

static void times_out(int operation, clockid_t clock, long ms)
{
    struct timespec deadline = in_ms(clock, ms);
    FAILS(futex(&word, operation, 0, &deadline, NULL, ANY), ETIMEDOUT);
    ASSERT_GE(now_ns(clock), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
}

static void *body(void *unused)
{
    (void)unused;
    times_out(FUTEX_WAIT_BITSET_PRIVATE, CLOCK_MONOTONIC, 40);
    times_out(FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, CLOCK_REALTIME, 40);
    times_out(FUTEX_WAIT_BITSET_PRIVATE, CLOCK_MONOTONIC, -1000);
    times_out(FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, CLOCK_REALTIME, -1000);
    struct timespec far = in_ms(CLOCK_MONOTONIC, 20000);
    ASSERT_EQ(futex(&last, FUTEX_WAIT_BITSET_PRIVATE, 0, &far, NULL, ANY), 0);
    return NULL;
}

int main(void)
{
    pthread_t thread = spawn(body, NULL);
    UNTIL(futex(&last, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, ANY) == 1);
    join(thread);
    return 0;
}
