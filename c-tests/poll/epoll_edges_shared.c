// Edge-triggered, with several threads on one epoll: each edge is one thread's, which drains; no byte is lost or seen twice.
#include "coop-test.h"
#include <sys/epoll.h>

enum { PAIRS = 8, THREADS = 4, BYTES = 400 };
static int epoll, ends[PAIRS][2], seen;

static void *waiter(void *unused)
{
    while (__atomic_load_n(&seen, __ATOMIC_ACQUIRE) < PAIRS * BYTES) {
        struct epoll_event event;
        int found = SYS(epoll_wait(epoll, &event, 1, 20));
        char bytes[16];
        ssize_t n;
        while (found && (n = read(event.data.fd, bytes, sizeof bytes)) > 0)
            __atomic_add_fetch(&seen, n, __ATOMIC_ACQ_REL);
        if (found) ASSERT_EQ(errno, EAGAIN);
    }
    return unused;
}

int main(void)
{
    epoll = SYS(epoll_create1(0));
    for (int i = 0; i < PAIRS; i++) {
        SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends[i]));
        SYS(fcntl(ends[i][1], F_SETFL, O_RDWR));
        struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = ends[i][0]};
        SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[i][0], &event));
    }
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(waiter, NULL);
    for (int byte = 0; byte < BYTES; byte++)
        for (int i = 0; i < PAIRS; i++) write_all(ends[i][1], "x", 1);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(seen, PAIRS * BYTES);
    return 0;
}
