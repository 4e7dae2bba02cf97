// Urgent data on a socket: POLLPRI, select's third set and EPOLLPRI tell of it.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int ends[2];

static void *polls(void *unused)
{
    struct pollfd one = {ends[0], POLLPRI, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    ASSERT_EQ(one.revents, POLLPRI);
    return unused;
}

static void *selects(void *unused)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    ASSERT_EQ(SYS(select(ends[0] + 1, NULL, NULL, &set, NULL)), 1);
    ASSERT(FD_ISSET(ends[0], &set));
    return unused;
}

static void *waits(void *unused)
{
    int epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLPRI};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
    ASSERT_EQ(event.events, EPOLLPRI);
    SYS(close(epoll));
    return unused;
}

int main(void)
{
    void *(*bodies[])(void *) = {polls, selects, waits};
    for (int i = 0; i < 3; i++) {
        char byte;
        tcp_pair(ends);
        pthread_t thread = spawn(bodies[i], NULL);
        until_others_wait();
        ASSERT_EQ(SYS(send(ends[1], "!", 1, MSG_OOB)), 1);
        join(thread);
        ASSERT_EQ(SYS(recv(ends[0], &byte, 1, MSG_OOB)), 1);
        ASSERT_EQ(byte, '!');
        SYS(close(ends[0]));
        SYS(close(ends[1]));
    }
    return 0;
}
