// A thread in epoll_wait goes on when another closes the epoll, and gets its events.
#include "coop-test.h"
#include <sys/epoll.h>

static int epoll, ends[2];

static void *waiter(void *unused)
{
    (void)unused;
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
    ASSERT_EQ(event.data.fd, ends[0]);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = ends[0]};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    pthread_t thread = spawn(waiter, NULL);
    until_others_wait();
    SYS(close(epoll));
    // Another file under the number is nothing to it.
    int reused = SYS(dup(ends[1]));
    ASSERT_EQ(reused, epoll);
    until_others_wait();
    write_all(ends[1], "x", 1);
    join(thread);
    FAILS(epoll_wait(epoll, &event, 1, 0), EINVAL);
    return 0;
}
