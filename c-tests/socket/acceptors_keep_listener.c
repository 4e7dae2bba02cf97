// Threads that wait in accept while the listener's number is closed each get a connection more, as the kernel keeps the file for them.
#include "coop-test.h"

enum { ACCEPTORS = 20 };
static int listener, begun;
static struct sockaddr_in address;

static void *acceptor(void *unused)
{
    __atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);
    int fd = SYS(accept(listener, NULL, NULL));
    write_all(fd, "x", 1);
    SYS(close(fd));
    return unused;
}

int main(void)
{
    pthread_t threads[ACCEPTORS];
    listener = tcp_listener(&address, ACCEPTORS);
    for (int i = 0; i < ACCEPTORS; i++) threads[i] = spawn(acceptor, NULL);
    UNTIL(begun == ACCEPTORS);
    let_others_block();
    let_others_block();
    SYS(close(listener));
    for (int i = 0; i < ACCEPTORS; i++) {
        char byte;
        int fd = tcp_connect(&address);
        ASSERT_EQ(read(fd, &byte, 1), 1);
        SYS(close(fd));
    }
    for (int i = 0; i < ACCEPTORS; i++) join(threads[i]);
    return 0;
}
