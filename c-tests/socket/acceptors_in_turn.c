// 200 threads of this process and some of a child wait in accept on one socket: every connection is taken once, also when they
// come all together.
// timeout: 60
#include "coop-test.h"

enum { ACCEPTORS = 200, CONNECTIONS = 400 };
static int listener;
static long taken;
static struct sockaddr_in address;

static void *acceptor(void *rounds)
{
    for (long i = 0; i < (long)rounds; i++) {
        int fd = SYS(accept(listener, NULL, NULL));
        __atomic_fetch_add(&taken, 1, __ATOMIC_RELAXED);
        write_all(fd, "x", 1);
        SYS(close(fd));
    }
    return NULL;
}

static void connect_all(int count)
{
    static int fds[CONNECTIONS];
    char byte;
    for (int i = 0; i < count; i++) fds[i] = tcp_connect(&address);
    for (int i = 0; i < count; i++) {
        ASSERT_EQ(read(fds[i], &byte, 1), 1);
        SYS(close(fds[i]));
    }
}

int main(void)
{
    listener = tcp_listener(&address, CONNECTIONS);
    pid_t child = SYS(fork());
    if (child == 0) {
        pthread_t own[4];
        for (int i = 0; i < 4; i++) own[i] = spawn(acceptor, (void *)1000000L);
        join(own[0]);
    }
    for (int i = 0; i < ACCEPTORS; i++) spawn_small(acceptor, (void *)1000000L);
    let_others_block();
    connect_all(CONNECTIONS);
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    taken = 0;
    connect_all(CONNECTIONS);
    ASSERT_EQ(taken, CONNECTIONS);
    _exit(0);
}
