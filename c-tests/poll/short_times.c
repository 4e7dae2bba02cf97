// Short time-outs are kept to the microsecond from below, and 0 does not wait, in each of the calls.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int epoll;

static void wait_us(int call, long us)
{
    struct timespec time = to_timespec(us * 1000);
    struct timeval value = {0, us};
    struct epoll_event event;
    int64_t start = now_ns(CLOCK_MONOTONIC);
    if (call == 0) ASSERT_EQ(SYS(ppoll(NULL, 0, &time, NULL)), 0);
    if (call == 1) ASSERT_EQ(SYS(pselect(0, NULL, NULL, NULL, &time, NULL)), 0);
    if (call == 2) ASSERT_EQ(SYS(select(0, NULL, NULL, NULL, &value)), 0);
    if (call == 3 && syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 8) != 0) ASSERT_EQ(errno, ENOSYS);
    else if (now_ns(CLOCK_MONOTONIC) - start < us * 1000) FAIL("call %d came back before %ld us", call, us);
}

static void *body(void *unused)
{
    for (int call = 0; call < 4; call++)
        for (long us = 0; us < 4000; us = us * 3 + 1) wait_us(call, us);
    return unused;
}

int main(void)
{
    epoll = SYS(epoll_create1(0));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
