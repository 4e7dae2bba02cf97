// Many threads read from one descriptor, many wait on one epoll: each event is one thread's, and none is lost.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

enum { THREADS = 24, EVENTS = 500 };
static int counter, epoll, taken, over;

static void *reader(void *unused)
{
    for (;;) {
        uint64_t value;
        ASSERT_EQ(SYS(read(counter, &value, 8)), 8);
        ASSERT_EQ(value, 1);
        if (__atomic_add_fetch(&taken, 1, __ATOMIC_ACQ_REL) > EVENTS) return unused;
    }
}

static void *waiter(void *unused)
{
    for (;;) {
        struct epoll_event event;
        ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
        if (event.data.fd == over) return unused;
        uint64_t value;
        ASSERT_EQ(SYS(read(event.data.fd, &value, 8)), 8);
        __atomic_add_fetch(&taken, 1, __ATOMIC_ACQ_REL);
        event.events = EPOLLIN | EPOLLONESHOT;
        SYS(epoll_ctl(epoll, EPOLL_CTL_MOD, event.data.fd, &event));
    }
}

int main(void)
{
    pthread_t threads[THREADS];
    uint64_t one = 1;
    counter = SYS(eventfd(0, EFD_SEMAPHORE));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(reader, NULL);
    for (int i = 0; i < EVENTS; i++) write_all(counter, &one, 8);
    UNTIL(__atomic_load_n(&taken, __ATOMIC_ACQUIRE) == EVENTS);
    for (int i = 0; i < THREADS; i++) write_all(counter, &one, 8);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    taken = 0;
    epoll = SYS(epoll_create1(0));
    int files[4];
    for (int i = 0; i < 4; i++) {
        files[i] = SYS(eventfd(0, EFD_SEMAPHORE));
        struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = files[i]};
        SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, files[i], &event));
    }
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(waiter, NULL);
    for (int i = 0; i < EVENTS; i++) write_all(files[i % 4], &one, 8);
    UNTIL(__atomic_load_n(&taken, __ATOMIC_ACQUIRE) == EVENTS);
    over = SYS(eventfd(1, 0));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = over};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, over, &event));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
