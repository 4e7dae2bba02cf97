// accept4 gives the new socket the flags asked for, accept gives it none, whatever the listener's are.
#include "coop-test.h"

static int listener;

static void *client(void *address)
{
    sleep_ms(5);
    return (void *)(intptr_t)tcp_connect(address);
}

int main(void)
{
    static const struct {
        int flags, status, descriptor;
    } cases[] = {
        {0, O_RDWR, 0},
        {SOCK_NONBLOCK, O_RDWR | O_NONBLOCK, 0},
        {SOCK_CLOEXEC, O_RDWR, FD_CLOEXEC},
        {SOCK_NONBLOCK | SOCK_CLOEXEC, O_RDWR | O_NONBLOCK, FD_CLOEXEC},
    };
    struct sockaddr_in address;
    char byte;
    listener = tcp_listener(&address, 5);
    for (int i = 0; i < 4; i++) {
        pthread_t thread = spawn(client, &address);
        int fd = SYS(accept4(listener, NULL, NULL, cases[i].flags));
        ASSERT_EQ(fcntl(fd, F_GETFL), cases[i].status);
        ASSERT_EQ(fcntl(fd, F_GETFD), cases[i].descriptor);
        if (cases[i].flags & SOCK_NONBLOCK) FAILS(read(fd, &byte, 1), EAGAIN);
        SYS(close((int)(intptr_t)join(thread)));
        SYS(close(fd));
    }
    FAILS(accept4(listener, NULL, NULL, 0x1234), EINVAL);
    // A non-blocking listener's accepted sockets wait.
    SYS(fcntl(listener, F_SETFL, O_RDWR | O_NONBLOCK));
    int peer = (int)(intptr_t)join(spawn(client, &address));
    int fd = SYS(accept(listener, NULL, NULL));
    ASSERT_EQ(fcntl(fd, F_GETFL), O_RDWR);
    SYS(close(peer));
    ASSERT_EQ(SYS(read(fd, &byte, 1)), 0);
    return 0;
}
