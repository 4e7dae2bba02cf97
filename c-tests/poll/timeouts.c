// poll, ppoll, select, pselect and the epoll waits with time-outs: zero at once, positive not early, nothing ready is 0.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int wait_by(int call, int fd, int epoll, int ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    struct timespec time = to_timespec(ms * NS_PER_MS);
    struct timeval old_time = {.tv_usec = ms * 1000};
    struct epoll_event event;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    switch (call) {
    case 0: return poll(&one, 1, ms);
    case 1: return ppoll(&one, 1, &time, NULL);
    case 2: return select(fd + 1, &set, NULL, NULL, &old_time);
    case 3: return pselect(fd + 1, &set, NULL, NULL, &time, NULL);
    case 4: return epoll_wait(epoll, &event, 1, ms);
    case 5: return epoll_pwait(epoll, &event, 1, ms, NULL);
    default: return (int)syscall(SYS_epoll_pwait2, epoll, &event, 1, &time, NULL, 0);
    }
}

static void *body(void *argument)
{
    int call = (int)(intptr_t)argument, ends[2], epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN};
    SYS(pipe(ends));
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    static const int times[] = {0, 1, 40, 0, 15};
    for (int i = 0; i < 5; i++) {
        int64_t start = now_ns(CLOCK_MONOTONIC);
        ASSERT_EQ(SYS(wait_by(call, ends[0], epoll, times[i])), 0);
        ASSERT_GE(ms_since(start), times[i]);
    }
    SYS(write(ends[1], "x", 1));
    ASSERT_EQ(SYS(wait_by(call, ends[0], epoll, 0)), 1);
    ASSERT_EQ(SYS(wait_by(call, ends[0], epoll, 20000)), 1);
    return NULL;
}

int main(void)
{
    pthread_t threads[7];
    for (intptr_t i = 0; i < 7; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 7; i++) join(threads[i]);
    return 0;
}
