// A single-threaded epoll echo server in one thread, forty blocking clients in others.
#include "coop-test.h"
#include <sys/epoll.h>

#define CLIENTS 40

static int listener;

static void *server(void *unused)
{
    (void)unused;
    int epoll = SYS(epoll_create1(0)), closed = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[16];
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event));
    while (closed < CLIENTS) {
        int ready = SYS(epoll_wait(epoll, events, 16, -1));
        for (int i = 0; i < ready; i++) {
            char buffer[256];
            int fd = events[i].data.fd;
            if (fd == listener) {
                event.data.fd = SYS(accept4(listener, NULL, NULL, SOCK_NONBLOCK));
                SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event));
                continue;
            }
            ssize_t got = SYS(read(fd, buffer, sizeof buffer));
            if (got == 0) {
                closed++;
                SYS(close(fd));
            } else {
                ASSERT_EQ(SYS(write(fd, buffer, got)), got);
            }
        }
    }
    return NULL;
}

static void *client(void *address)
{
    char sent[100], got[100];
    int fd = tcp_connect(address);
    for (int i = 0; i < 20; i++) {
        memset(sent, fd + i, sizeof sent);
        write_all(fd, sent, sizeof sent);
        ASSERT_EQ(read_all(fd, got, sizeof got), sizeof got);
        ASSERT_MEM(sent, got, sizeof got);
    }
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    pthread_t clients[CLIENTS];
    listener = tcp_listener(&address, CLIENTS);
    pthread_t thread = spawn(server, NULL);
    for (int i = 0; i < CLIENTS; i++) clients[i] = spawn(client, &address);
    for (int i = 0; i < CLIENTS; i++) join(clients[i]);
    join(thread);
    return 0;
}
