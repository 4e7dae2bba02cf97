// An epoll that has every kind of descriptor reports the one that becomes ready, level- and edge-triggered.
#include "kinds.h"
#include <sys/epoll.h>

static struct kind kinds[KINDS];
static int epoll;

static void *waiter(void *unused)
{
    (void)unused;
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
    return (void *)(intptr_t)event.data.u32;
}

int main(void)
{
    make_kinds(kinds);
    epoll = SYS(epoll_create1(0));
    for (unsigned i = 0; i < KINDS; i++) {
        struct epoll_event event = {.events = EPOLLIN | (i % 2 ? EPOLLET : 0), .data.u32 = i};
        if (kinds[i].fd != -1) SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, kinds[i].fd, &event));
    }
    for (int which = 0; which < KINDS; which++) {
        if (kinds[which].fd == -1) continue;
        pthread_t thread = spawn(waiter, NULL);
        until_others_wait();
        make_ready(&kinds[which], which);
        ASSERT_EQ((intptr_t)join(thread), which);
        SYS(epoll_ctl(epoll, EPOLL_CTL_DEL, kinds[which].fd, NULL));
    }
    return 0;
}
