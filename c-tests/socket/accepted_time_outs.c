// SO_RCVTIMEO of a listener times accept out, and the sockets that it gives have it, too.
#include "coop-test.h"

static int listener;
static struct sockaddr_in address;

static void *server(void *unused)
{
    char byte;
    FAILS(accept(listener, NULL, NULL), EAGAIN);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(accept4(listener, NULL, NULL, SOCK_CLOEXEC), EAGAIN);
    ASSERT_GE(ms_since(start), 29);
    int client = tcp_connect(&address);
    int fd = SYS(accept(listener, NULL, NULL));
    FAILS(recv(fd, &byte, 1, 0), EAGAIN);
    FAILS(read(fd, &byte, 1), EAGAIN);
    SYS(close(client));
    ASSERT_EQ(read(fd, &byte, 1), 0);
    SYS(close(fd));
    return unused;
}

int main(void)
{
    listener = tcp_listener(&address, 4);
    struct timeval time = {.tv_usec = 30000};
    SYS(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    join(spawn(server, NULL));
    return 0;
}
