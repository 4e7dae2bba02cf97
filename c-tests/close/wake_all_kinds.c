// COOP_CLOSE=wake: closing a descriptor ends every kind of wait on it with EBADF; poll reports the number as bad.
// env: COOP_CLOSE=wake
// only: preloaded
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>

static int fd;

static void *reads(void *unused)
{
    char byte[8];
    FAILS(read(fd, byte, sizeof byte), EBADF);
    return unused;
}

static void *receives(void *unused)
{
    char byte;
    FAILS(recv(fd, &byte, 1, 0), EBADF);
    return unused;
}

static void *accepts(void *unused)
{
    FAILS(accept(fd, NULL, NULL), EBADF);
    return unused;
}

static void *waits_for_events(void *unused)
{
    struct epoll_event event;
    FAILS(epoll_wait(fd, &event, 1, -1), EBADF);
    return unused;
}

static void *polls(void *unused)
{
    struct pollfd one = {fd, POLLIN, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    ASSERT_EQ(one.revents, POLLNVAL);
    return unused;
}

static void *selects(void *unused)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(fd, &set);
    ASSERT_EQ(SYS(select(fd + 1, &set, NULL, NULL, NULL)), 1);
    return unused;
}

static void closed_under(void *(*body)(void *))
{
    pthread_t first = spawn(body, NULL), second = spawn(body, NULL);
    until_others_wait();
    SYS(close(fd));
    join(first);
    join(second);
}

int main(void)
{
    int ends[2];
    struct sockaddr_in address;
    SYS(pipe(ends));
    fd = ends[0];
    closed_under(reads);
    void *(*on_sockets[])(void *) = {reads, receives, polls, selects};
    for (int i = 0; i < 4; i++) {
        SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
        fd = ends[0];
        closed_under(on_sockets[i]);
    }
    fd = SYS(eventfd(0, 0));
    closed_under(reads);
    fd = tcp_listener(&address, 1);
    closed_under(accepts);
    fd = SYS(epoll_create1(0));
    closed_under(waits_for_events);
    return 0;
}
