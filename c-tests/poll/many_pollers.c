// One event ends the polls, selects and epolls of all threads that wait for it.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int ends[2];

static void *waiter(void *how)
{
    if ((intptr_t)how % 3 == 0) {
        struct pollfd one = {ends[0], POLLIN, 0};
        ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    } else if ((intptr_t)how % 3 == 1) {
        fd_set set;
        FD_ZERO(&set);
        FD_SET(ends[0], &set);
        ASSERT_EQ(SYS(select(ends[0] + 1, &set, NULL, NULL, NULL)), 1);
    } else {
        int epoll = SYS(epoll_create1(0));
        struct epoll_event event = {.events = EPOLLIN};
        SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
        ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
        SYS(close(epoll));
    }
    return NULL;
}

int main(void)
{
    enum { THREADS = 30 };
    pthread_t threads[THREADS];
    SYS(pipe(ends));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn_small(waiter, (void *)i);
    until_others_wait();
    write_all(ends[1], "x", 1);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
