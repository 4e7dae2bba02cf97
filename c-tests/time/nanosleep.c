// nanosleep sleeps at least as long as asked, in main and in threads; bad times are EINVAL.
#include "coop-test.h"

static void *body(void *argument)
{
    long ms = (long)(intptr_t)argument;
    struct timespec time = to_timespec(ms * NS_PER_MS), bad = {.tv_nsec = NS_PER_S}, past = {.tv_sec = -1};
    int64_t start = now_ns(CLOCK_MONOTONIC);
    SYS(nanosleep(&time, NULL));
    ASSERT_GE(ms_since(start), ms);
    FAILS(nanosleep(&bad, NULL), EINVAL);
    FAILS(nanosleep(&past, NULL), EINVAL);
    start = now_ns(CLOCK_MONOTONIC);
    SYS(usleep(3000));
    ASSERT_GE(ms_since(start), 3);
    return NULL;
}

int main(void)
{
    static const intptr_t times[] = {0, 1, 10, 50, 120};
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = spawn(body, (void *)times[i]);
    for (int i = 0; i < 5; i++) join(threads[i]);
    body((void *)20);
    return 0;
}
