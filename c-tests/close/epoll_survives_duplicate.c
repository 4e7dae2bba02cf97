// An epoll entry lives as long as its open file: closing one of two numbers takes nothing away, closing both does.
#include "coop-test.h"
#include <sys/epoll.h>

static int epoll;

static void *waiter(void *unused)
{
    (void)unused;
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
    ASSERT_EQ(event.data.u64, 7);
    return NULL;
}

int main(void)
{
    int ends[2];
    SYS(pipe(ends));
    epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 7};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    int copy = SYS(dup(ends[0]));
    pthread_t thread = spawn(waiter, NULL);
    until_others_wait();
    SYS(close(ends[0]));
    write_all(ends[1], "x", 1);
    join(thread);
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, 0)), 1);
    SYS(close(copy));
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, 0)), 0);
    return 0;
}
