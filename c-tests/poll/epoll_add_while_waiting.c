// What is added to an epoll while a thread waits in it wakes that thread: a ready descriptor at once, another later.
#include "coop-test.h"
#include <sys/epoll.h>

static int epoll;

static void *waiter(void *unused)
{
    (void)unused;
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
    return (void *)(intptr_t)event.data.fd;
}

int main(void)
{
    int ready[2], later[2];
    SYS(pipe(ready));
    SYS(pipe(later));
    SYS(write(ready[1], "x", 1));
    epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = ready[0]};

    pthread_t thread = spawn(waiter, NULL);
    let_others_block();
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ready[0], &event));
    ASSERT_EQ((intptr_t)join(thread), ready[0]);
    // Closing the last descriptor takes it out.
    SYS(close(ready[0]));
    thread = spawn(waiter, NULL);
    let_others_block();
    event.data.fd = later[0];
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, later[0], &event));
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    SYS(write(later[1], "x", 1));
    ASSERT_EQ((intptr_t)join(thread), later[0]);
    return 0;
}
