// clock_nanosleep on both clocks, relative and absolute; a past time is at once; a bad clock, flag or time is EINVAL.
#include "coop-test.h"

static void sleeps(clockid_t clock)
{
    struct timespec time = to_timespec(30 * NS_PER_MS);
    int64_t start = now_ns(clock);
    OK(clock_nanosleep(clock, 0, &time, NULL));
    ASSERT_GE(now_ns(clock) - start, 30 * NS_PER_MS);
    time = in_ms(clock, 30);
    OK(clock_nanosleep(clock, TIMER_ABSTIME, &time, NULL));
    ASSERT_GE(now_ns(clock), time.tv_sec * NS_PER_S + time.tv_nsec);
    time = in_ms(clock, -5000);
    OK(clock_nanosleep(clock, TIMER_ABSTIME, &time, NULL));
    time.tv_nsec = -1;
    GIVES(clock_nanosleep(clock, TIMER_ABSTIME, &time, NULL), EINVAL);
    GIVES(clock_nanosleep(clock, 0, &time, NULL), EINVAL);
}

static void *body(void *unused)
{
    (void)unused;
    sleeps(CLOCK_MONOTONIC);
    sleeps(CLOCK_REALTIME);
    sleeps(CLOCK_BOOTTIME);
    struct timespec time = to_timespec(NS_PER_MS);
    GIVES(clock_nanosleep(999, 0, &time, NULL), EINVAL);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    body(NULL);
    return 0;
}
