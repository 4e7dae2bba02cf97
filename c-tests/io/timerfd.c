// Reading a timerfd waits for it to expire, once or periodically; setting it again moves one who waits.
#include "coop-test.h"
#include <sys/timerfd.h>

static int fd;

static void *reader(void *unused)
{
    (void)unused;
    uint64_t expirations;
    ASSERT_EQ(SYS(read(fd, &expirations, sizeof expirations)), 8);
    return (void *)(uintptr_t)expirations;
}

int main(void)
{
    struct itimerspec once = {.it_value = {.tv_nsec = 40 * NS_PER_MS}};
    struct itimerspec often = {{.tv_nsec = 5 * NS_PER_MS}, {.tv_nsec = 5 * NS_PER_MS}};
    struct itimerspec later = {.it_value = {.tv_sec = 3600}};
    fd = SYS(timerfd_create(CLOCK_MONOTONIC, 0));

    int64_t start = now_ns(CLOCK_MONOTONIC);
    SYS(timerfd_settime(fd, 0, &once, NULL));
    ASSERT_EQ((uintptr_t)join(spawn(reader, NULL)), 1);
    ASSERT_GE(ms_since(start), 40);

    start = now_ns(CLOCK_MONOTONIC);
    SYS(timerfd_settime(fd, 0, &often, NULL));
    uintptr_t total = 0;
    while (total < 10) total += (uintptr_t)join(spawn(reader, NULL));
    ASSERT_GE(ms_since(start), 50);

    SYS(timerfd_settime(fd, 0, &later, NULL));
    pthread_t thread = spawn(reader, NULL);
    let_others_block();
    SYS(timerfd_settime(fd, 0, &once, NULL));
    ASSERT_EQ((uintptr_t)join(thread), 1);
    return 0;
}
