// SO_RCVTIMEO and SO_SNDTIMEO end a wait with EAGAIN, not early: recv, read, recvmsg, accept, send.
#include "coop-test.h"

static void set_timeout(int fd, int which)
{
    struct timeval timeout = {.tv_usec = 60 * 1000}, seen;
    socklen_t size = sizeof seen;
    SYS(setsockopt(fd, SOL_SOCKET, which, &timeout, sizeof timeout));
    SYS(getsockopt(fd, SOL_SOCKET, which, &seen, &size));
    ASSERT_EQ(seen.tv_usec, timeout.tv_usec);
}

static void *body(void *argument)
{
    int pair[2];
    struct sockaddr_in address;
    static char bytes[1 << 16];
    struct iovec part = {bytes, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    set_timeout(pair[0], SO_RCVTIMEO);
    set_timeout(pair[0], SO_SNDTIMEO);
    int listener = tcp_listener(&address, 1);
    set_timeout(listener, SO_RCVTIMEO);

    int64_t start = now_ns(CLOCK_MONOTONIC);
    switch ((intptr_t)argument) {
    case 0: FAILS(recv(pair[0], bytes, 1, 0), EAGAIN); break;
    case 1: FAILS(read(pair[0], bytes, 1), EAGAIN); break;
    case 2: FAILS(recvmsg(pair[0], &message, 0), EAGAIN); break;
    case 3: FAILS(accept(listener, NULL, NULL), EAGAIN); break;
    case 4:
        while (send(pair[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
        start = now_ns(CLOCK_MONOTONIC);
        FAILS(send(pair[0], bytes, 1, 0), EAGAIN);
        break;
    }
    // The kernel counts it in ticks, which may begin up to one early.
    ASSERT_GE(ms_since(start), 60 - 10);
    // A time-out leaves the socket usable.
    SYS(write(pair[1], "x", 1));
    ASSERT_EQ(SYS(read(pair[0], bytes, 1)), 1);
    return NULL;
}

int main(void)
{
    pthread_t threads[5];
    for (intptr_t i = 0; i < 5; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 5; i++) join(threads[i]);
    return 0;
}
