// A non-blocking connect is EINPROGRESS at once; poll tells when it is through and SO_ERROR how it went.
#include "coop-test.h"

static int outcome(const struct sockaddr_in *address)
{
    int error = -1;
    socklen_t size = sizeof error;
    int fd = SYS(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    FAILS(connect(fd, (const struct sockaddr *)address, sizeof *address), EINPROGRESS);
    struct pollfd ready = {.fd = fd, .events = POLLOUT};
    ASSERT_EQ(SYS(poll(&ready, 1, -1)), 1);
    SYS(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
    ASSERT_EQ(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
    SYS(close(fd));
    return error;
}

static void *body(void *address)
{
    ASSERT_EQ(outcome(address), 0);
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    int listener = tcp_listener(&address, 20);
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = spawn(body, &address);
    for (int i = 0; i < 5; i++) join(threads[i]);
    SYS(close(listener));
    ASSERT_EQ(outcome(&address), ECONNREFUSED);
    return 0;
}
