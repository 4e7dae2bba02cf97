// Descriptors made non-blocking show it and do not wait; those made otherwise do not show it.
#include "coop-test.h"
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

static void *nothing(void *unused)
{
    return unused;
}

static void is(int fd, int nonblocking)
{
    ASSERT_EQ(!!(SYS(fcntl(fd, F_GETFL)) & O_NONBLOCK), nonblocking);
    char bytes[256];
    if (nonblocking) FAILS(read(fd, bytes, sizeof bytes), EAGAIN);
    SYS(close(fd));
}

int main(void)
{
    join(spawn(nothing, NULL));
    sigset_t none;
    sigemptyset(&none);
    for (int on = 0; on < 2; on++) {
        int flag = on ? O_NONBLOCK : 0, ends[2];
        SYS(pipe2(ends, flag));
        is(ends[0], on);
        SYS(close(ends[1]));
        SYS(socketpair(AF_UNIX, SOCK_STREAM | flag, 0, ends));
        is(ends[0], on);
        SYS(close(ends[1]));
        is(SYS(eventfd(0, flag)), on);
        is(SYS(timerfd_create(CLOCK_MONOTONIC, flag)), on);
        is(SYS(inotify_init1(flag)), on);
        is(SYS(signalfd(-1, &none, flag)), on);
        struct sockaddr_in address;
        int listener = tcp_listener(&address, 4), client = tcp_connect(&address);
        is(SYS(accept4(listener, NULL, NULL, flag)), on);
        SYS(close(client));
        // Accepted from a non-blocking listener: blocking all the same.
        SYS(fcntl(listener, F_SETFL, O_RDWR | O_NONBLOCK));
        FAILS(accept(listener, NULL, NULL), EAGAIN);
        client = tcp_connect(&address);
        is(SYS(accept(listener, NULL, NULL)), 0);
        SYS(close(client));
        SYS(close(listener));
    }
    return 0;
}
