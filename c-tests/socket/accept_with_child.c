// A forked child accepts from the same listener as the parent's threads: all are served, whoever loses a race waits on.
#include "coop-test.h"

static int listener;

static void *serve(void *letter)
{
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd == -1) {
            ASSERT_EQ(errno, EINVAL);
            return NULL;
        }
        write_all(fd, letter, 1);
        SYS(close(fd));
    }
}

static void *client(void *address)
{
    char who;
    int fd = tcp_connect(address);
    ASSERT_EQ(read_all(fd, &who, 1), 1);
    ASSERT(who == 'p' || who == 'c');
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    pthread_t servers[3], clients[10];
    listener = tcp_listener(&address, 128);
    pid_t child = SYS(fork());
    if (child == 0) {
        for (int i = 0; i < 2; i++) servers[i] = spawn(serve, (void *)"c");
        for (int i = 0; i < 2; i++) join(servers[i]);
        _exit(0);
    }
    for (int i = 0; i < 3; i++) servers[i] = spawn(serve, (void *)"p");
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 10; i++) clients[i] = spawn(client, &address);
        for (int i = 0; i < 10; i++) join(clients[i]);
    }
    // The listener is one file: shutting it down ends the accepts of both processes.
    SYS(shutdown(listener, SHUT_RDWR));
    for (int i = 0; i < 3; i++) join(servers[i]);
    ASSERT_EQ(finish(child), 0);
    return 0;
}
