// With O_NONBLOCK a call that would wait is EAGAIN at once: pipes full and empty, sockets, listeners, eventfds.
#include "coop-test.h"
#include <sys/eventfd.h>

static void *body(void *unused)
{
    (void)unused;
    static char bytes[1 << 20];
    char byte;
    int ends[2], pair[2];
    SYS(pipe2(ends, O_NONBLOCK));
    FAILS(read(ends[0], &byte, 1), EAGAIN);
    ASSERT_EQ(SYS(write(ends[1], bytes, sizeof bytes)), SYS(fcntl(ends[1], F_GETPIPE_SZ)));
    FAILS(write(ends[1], bytes, 1), EAGAIN);

    SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
    FAILS(read(pair[0], &byte, 1), EAGAIN);
    FAILS(recv(pair[0], &byte, 1, 0), EAGAIN);
    while (write(pair[0], bytes, sizeof bytes) > 0) continue;
    ASSERT_EQ(errno, EAGAIN);
    FAILS(send(pair[0], bytes, 1, 0), EAGAIN);

    struct sockaddr_in address;
    int listener = tcp_listener(&address, 1);
    SYS(fcntl(listener, F_SETFL, O_RDWR | O_NONBLOCK));
    FAILS(accept(listener, NULL, NULL), EAGAIN);

    uint64_t value;
    int event = SYS(eventfd(0, EFD_NONBLOCK));
    FAILS(read(event, &value, sizeof value), EAGAIN);
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
