// A second connect: EISCONN for TCP; UDP goes to another peer, or with AF_UNSPEC to none.
#include "coop-test.h"

static int udp_socket(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));
    SYS(bind(fd, (struct sockaddr *)address, size));
    SYS(getsockname(fd, (struct sockaddr *)address, &size));
    return fd;
}

static void *connects(void *unused)
{
    struct sockaddr_in address, first, second;
    int listener = tcp_listener(&address, 4), fd = tcp_connect(&address);
    FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), EISCONN);
    ASSERT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    SYS(close(listener));

    char byte;
    int a = udp_socket(&first), b = udp_socket(&second), c = SYS(socket(AF_INET, SOCK_DGRAM, 0));
    SYS(connect(c, (struct sockaddr *)&first, sizeof first));
    SYS(send(c, "a", 1, 0));
    SYS(connect(c, (struct sockaddr *)&second, sizeof second));
    SYS(send(c, "b", 1, 0));
    ASSERT_EQ(recv(a, &byte, 1, 0), 1);
    ASSERT_EQ(byte, 'a');
    ASSERT_EQ(recv(b, &byte, 1, 0), 1);
    ASSERT_EQ(byte, 'b');
    struct sockaddr none = {.sa_family = AF_UNSPEC};
    SYS(connect(c, &none, sizeof none));
    FAILS(send(c, "x", 1, 0), EDESTADDRREQ);
    // A closed port's refusal is told by the next call.
    SYS(close(a));
    SYS(connect(c, (struct sockaddr *)&first, sizeof first));
    SYS(send(c, "x", 1, 0));
    FAILS(recv(c, &byte, 1, 0), ECONNREFUSED);
    return unused;
}

int main(void)
{
    join(spawn(connects, NULL));
    return 0;
}
