// EPOLLEXCLUSIVE: threads with an epoll each on one descriptor; every event is seen by one at least, and all get their share taken.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { THREADS = 8, EVENTS = 200 };
static int counter, over, taken;

static void *waiter(void *unused)
{
    int epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = counter};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, counter, &event));
    event = (struct epoll_event){.events = EPOLLIN, .data.fd = over};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, over, &event));
    for (;;) {
        struct epoll_event events[2];
        int found = SYS(epoll_wait(epoll, events, 2, -1));
        for (int i = 0; i < found; i++) {
            uint64_t value;
            if (events[i].data.fd == over) return unused;
            if (read(counter, &value, 8) == 8) __atomic_add_fetch(&taken, 1, __ATOMIC_ACQ_REL);
            else ASSERT_EQ(errno, EAGAIN);
        }
    }
}

int main(void)
{
    pthread_t threads[THREADS];
    counter = SYS(eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK));
    over = SYS(eventfd(0, 0));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(waiter, NULL);
    until_others_wait();
    uint64_t one = 1;
    for (int i = 0; i < EVENTS; i++) write_all(counter, &one, 8);
    UNTIL(__atomic_load_n(&taken, __ATOMIC_ACQUIRE) == EVENTS);
    write_all(over, &one, 8);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
