// EPOLLET tells of each arrival once, EPOLLONESHOT once until it is armed again.
#include "coop-test.h"
#include <sys/epoll.h>

static int epoll;

static void *waiter(void *unused)
{
    (void)unused;
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
    return NULL;
}

static void nothing_more(void)
{
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, 0)), 0);
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, 10)), 0);
}

int main(void)
{
    int ends[2];
    SYS(pipe(ends));
    epoll = SYS(epoll_create1(0));
    struct epoll_event edge = {.events = EPOLLIN | EPOLLET}, once = {.events = EPOLLIN | EPOLLONESHOT};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &edge));
    for (int i = 0; i < 3; i++) {
        pthread_t thread = spawn(waiter, NULL);
        let_others_block();
        SYS(write(ends[1], "x", 1));
        join(thread);
        nothing_more();
    }
    for (int i = 0; i < 3; i++) {
        // Armed while one waits: the bytes are there already.
        pthread_t thread = spawn(waiter, NULL);
        let_others_block();
        SYS(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &once));
        join(thread);
        SYS(write(ends[1], "x", 1));
        nothing_more();
    }
    return 0;
}
