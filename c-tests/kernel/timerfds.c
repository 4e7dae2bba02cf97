// 200 threads read timerfds, each its own; a periodic one counts what was missed; setting the time again changes a wait in progress.
#include "coop-test.h"
#include <sys/timerfd.h>

enum { THREADS = 200 };
static int late;

static int timer(long ms, long period_ms)
{
    int fd = SYS(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec time = {to_timespec(period_ms * NS_PER_MS), to_timespec(ms * NS_PER_MS)};
    SYS(timerfd_settime(fd, 0, &time, NULL));
    return fd;
}

static void *reader(void *number)
{
    int64_t start = now_ns(CLOCK_MONOTONIC);
    uint64_t times;
    long ms = 10 + (long)number % 50;
    int fd = timer(ms, 0);
    ASSERT_EQ(read(fd, &times, 8), 8);
    ASSERT_EQ(times, 1);
    ASSERT_GE(ms_since(start), ms);
    SYS(close(fd));
    return NULL;
}

static void *waits_for_late(void *unused)
{
    uint64_t times;
    ASSERT_EQ(read(late, &times, 8), 8);
    return unused;
}

int main(void)
{
    static pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) threads[i] = spawn_small(reader, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    int fd = timer(1, 5);
    sleep_ms(40);
    uint64_t times;
    ASSERT_EQ(read(fd, &times, 8), 8);
    ASSERT_GE(times, 8);
    late = timer(1000000, 0);
    pthread_t thread = spawn(waits_for_late, NULL);
    let_others_block();
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    SYS(timerfd_settime(late, 0, &soon, NULL));
    join(thread);
    return 0;
}
