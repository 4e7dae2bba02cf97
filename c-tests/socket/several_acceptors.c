// Ten threads accept from one listener: every connection is served by exactly one, and shutdown ends them all.
#include "coop-test.h"

static int listener;
static _Atomic int served;

static void *acceptor(void *unused)
{
    (void)unused;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd == -1) {
            ASSERT_EQ(errno, EINVAL);
            return NULL;
        }
        served++;
        write_all(fd, "!", 1);
        SYS(close(fd));
    }
}

static void *client(void *address)
{
    char bytes[2];
    int fd = tcp_connect(address);
    ASSERT_EQ(read_all(fd, bytes, 2), 1);
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    pthread_t acceptors[10], clients[60];
    listener = tcp_listener(&address, 64);
    for (int i = 0; i < 10; i++) acceptors[i] = spawn(acceptor, NULL);
    for (int i = 0; i < 60; i++) clients[i] = spawn(client, &address);
    for (int i = 0; i < 60; i++) join(clients[i]);
    ASSERT_EQ(served, 60);
    SYS(shutdown(listener, SHUT_RDWR));
    for (int i = 0; i < 10; i++) join(acceptors[i]);
    return 0;
}
