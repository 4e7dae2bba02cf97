// poll and select with nothing to watch are sleeps that let others run.
#include "coop-test.h"
#include <sys/select.h>

static _Atomic int rounds;

static void *other(void *unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++) {
        sleep_ms(1);
        rounds++;
    }
    return NULL;
}

static void *poller(void *unused)
{
    (void)unused;
    int64_t start = now_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(SYS(poll(NULL, 0, 60)), 0);
    ASSERT_GE(ms_since(start), 60);
    return NULL;
}

static void *selector(void *unused)
{
    (void)unused;
    struct timeval time = {.tv_usec = 60000};
    int64_t start = now_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(SYS(select(0, NULL, NULL, NULL, &time)), 0);
    ASSERT_GE(ms_since(start), 60);
    // Linux writes back what was left.
    ASSERT_EQ(time.tv_sec + time.tv_usec, 0);
    return NULL;
}

int main(void)
{
    pthread_t threads[3] = {spawn(poller, NULL), spawn(selector, NULL), spawn(other, NULL)};
    for (int i = 0; i < 3; i++) join(threads[i]);
    ASSERT_EQ(rounds, 5);
    return 0;
}
