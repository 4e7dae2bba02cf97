// An epoll within an epoll, and an epoll in poll and select: readiness reaches the thread that waits outside.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int inner, outer;

static void *waiter(void *argument)
{
    struct epoll_event event;
    struct pollfd one = {inner, POLLIN, 0};
    fd_set set;
    FD_ZERO(&set);
    FD_SET(inner, &set);
    switch ((intptr_t)argument) {
    case 0:
        ASSERT_EQ(SYS(epoll_wait(outer, &event, 1, -1)), 1);
        ASSERT_EQ(event.data.fd, inner);
        break;
    case 1: ASSERT_EQ(SYS(poll(&one, 1, -1)), 1); break;
    case 2: ASSERT_EQ(SYS(select(inner + 1, &set, NULL, NULL, NULL)), 1); break;
    }
    ASSERT_EQ(SYS(epoll_wait(inner, &event, 1, 0)), 1);
    return NULL;
}

int main(void)
{
    int ends[2];
    SYS(pipe(ends));
    inner = SYS(epoll_create1(0));
    outer = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = inner};
    SYS(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event));
    event.data.fd = ends[0];
    SYS(epoll_ctl(inner, EPOLL_CTL_ADD, ends[0], &event));
    pthread_t threads[3];
    for (intptr_t i = 0; i < 3; i++) threads[i] = spawn(waiter, (void *)i);
    let_others_block();
    SYS(write(ends[1], "x", 1));
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
