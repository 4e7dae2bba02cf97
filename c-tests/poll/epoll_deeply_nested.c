// Epolls nested as deep as the kernel allows: epoll_wait, poll and select on the outermost wait and are woken.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>

static int outermost, ends[2];

static void *waits(void *unused)
{
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(outermost, &event, 1, -1)), 1);
    return unused;
}

static void *polls(void *unused)
{
    struct pollfd one = {outermost, POLLIN, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    ASSERT_EQ(one.revents, POLLIN);
    return unused;
}

static void *selects(void *unused)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(outermost, &set);
    ASSERT_EQ(SYS(select(outermost + 1, &set, NULL, NULL, NULL)), 1);
    return unused;
}

int main(void)
{
    SYS(pipe(ends));
    int inner = ends[0];
    for (int depth = 0; depth < 6; depth++) {
        outermost = SYS(epoll_create1(0));
        struct epoll_event event = {.events = EPOLLIN};
        if (epoll_ctl(outermost, EPOLL_CTL_ADD, inner, &event) == -1) {
            ASSERT(depth >= 4 && (errno == EINVAL || errno == ELOOP));
            outermost = inner;
            break;
        }
        inner = outermost;
        void *(*bodies[])(void *) = {waits, polls, selects};
        for (int i = 0; i < 3; i++) {
            pthread_t thread = spawn(bodies[i], NULL), same = spawn(bodies[i], NULL);
            until_others_wait();
            write_all(ends[1], "x", 1);
            join(thread);
            join(same);
            char byte;
            ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
        }
        struct pollfd one = {outermost, POLLIN, 0};
        ASSERT_EQ(SYS(poll(&one, 1, 5)), 0);
    }
    return 0;
}
