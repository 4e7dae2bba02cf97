// accept waits for a connection that another thread makes, and tells the peer's address.
#include "coop-test.h"

static int listener;

static void *server(void *unused)
{
    (void)unused;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    int fd = SYS(accept(listener, (struct sockaddr *)&peer, &size));
    ASSERT_EQ(size, sizeof peer);
    ASSERT_EQ(peer.sin_family, AF_INET);
    ASSERT_EQ(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    ASSERT_EQ(fcntl(fd, F_GETFL), O_RDWR);
    ASSERT_EQ(fcntl(fd, F_GETFD), 0);
    write_all(fd, &peer.sin_port, sizeof peer.sin_port);
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    struct sockaddr_in address, own;
    socklen_t size = sizeof own;
    in_port_t port;
    listener = tcp_listener(&address, 5);
    for (int i = 0; i < 10; i++) {
        pthread_t thread = spawn(server, NULL);
        if (i % 2) let_others_block();
        int fd = tcp_connect(&address);
        SYS(getsockname(fd, (struct sockaddr *)&own, &size));
        ASSERT_EQ(read_all(fd, &port, sizeof port), sizeof port);
        ASSERT_EQ(port, own.sin_port);
        join(thread);
        SYS(close(fd));
    }
    return 0;
}
