// epoll_wait waits for another thread's write, gives back the data stored, level-triggered until it is read.
#include "coop-test.h"
#include <sys/epoll.h>

static int epoll;

static void *waiter(void *unused)
{
    (void)unused;
    struct epoll_event events[4];
    ASSERT_EQ(SYS(epoll_wait(epoll, events, 4, -1)), 1);
    ASSERT_EQ(events[0].events, EPOLLIN);
    return (void *)(uintptr_t)events[0].data.u64;
}

int main(void)
{
    int ends[2], pair[2];
    char byte;
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef0};
    SYS(pipe(ends));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    epoll = SYS(epoll_create1(EPOLL_CLOEXEC));
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    event.data.u64 = 7;
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event));
    FAILS(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event), EEXIST);

    pthread_t thread = spawn(waiter, NULL);
    let_others_block();
    SYS(write(ends[1], "x", 1));
    ASSERT_EQ((uintptr_t)join(thread), 0x123456789abcdef0);
    ASSERT_EQ((uintptr_t)waiter(NULL), 0x123456789abcdef0);
    SYS(read(ends[0], &byte, 1));
    thread = spawn(waiter, NULL);
    let_others_block();
    SYS(write(pair[1], "x", 1));
    ASSERT_EQ((uintptr_t)join(thread), 7);

    SYS(epoll_ctl(epoll, EPOLL_CTL_DEL, pair[0], NULL));
    struct epoll_event events[1];
    ASSERT_EQ(SYS(epoll_wait(epoll, events, 1, 0)), 0);
    FAILS(epoll_wait(epoll, events, 0, 0), EINVAL);
    FAILS(epoll_wait(ends[0], events, 1, 0), EINVAL);
    FAILS(epoll_wait(-1, events, 1, 0), EBADF);
    return 0;
}
