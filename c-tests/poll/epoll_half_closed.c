// EPOLLRDHUP tells a waiting thread that the peer has shut its side down; EPOLLHUP, that both are.
#include "coop-test.h"
#include <sys/epoll.h>

static int epoll;

static void *waiter(void *unused)
{
    (void)unused;
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
    return (void *)(intptr_t)event.events;
}

int main(void)
{
    int ends[2];
    tcp_pair(ends);
    epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    pthread_t thread = spawn(waiter, NULL);
    until_others_wait();
    SYS(shutdown(ends[1], SHUT_WR));
    ASSERT_EQ((intptr_t)join(thread), EPOLLRDHUP);
    thread = spawn(waiter, NULL);
    until_others_wait();
    SYS(shutdown(ends[0], SHUT_WR));
    ASSERT_EQ((intptr_t)join(thread), EPOLLRDHUP | EPOLLHUP);
    return 0;
}
