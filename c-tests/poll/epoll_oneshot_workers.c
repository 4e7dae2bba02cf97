// Workers share one epoll with EPOLLONESHOT: each event goes to one of them, all are handled.
#include "coop-test.h"
#include <sys/epoll.h>

#define WORKERS 8
#define SOCKETS 20
#define MESSAGES 30

static int epoll, pairs[SOCKETS][2];
static _Atomic int handled, inside[SOCKETS];

static void *worker(void *unused)
{
    (void)unused;
    for (;;) {
        struct epoll_event event;
        ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
        uint32_t i = event.data.u32;
        if (i == SOCKETS) return NULL;
        char byte;
        // Nobody else has it until it is armed again.
        ASSERT_EQ(inside[i]++, 0);
        ASSERT_EQ(SYS(read(pairs[i][0], &byte, 1)), 1);
        sched_yield();
        SYS(write(pairs[i][0], &byte, 1));
        handled++;
        inside[i]--;
        event.events = EPOLLIN | EPOLLONESHOT;
        SYS(epoll_ctl(epoll, EPOLL_CTL_MOD, pairs[i][0], &event));
    }
}

int main(void)
{
    pthread_t workers[WORKERS];
    epoll = SYS(epoll_create1(0));
    for (uint32_t i = 0; i < SOCKETS; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = i};
        SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i]));
        SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, pairs[i][0], &event));
    }
    for (int i = 0; i < WORKERS; i++) workers[i] = spawn(worker, NULL);
    for (int round = 0; round < MESSAGES; round++) {
        char byte = (char)round, answer;
        for (int i = 0; i < SOCKETS; i++) SYS(write(pairs[i][1], &byte, 1));
        for (int i = 0; i < SOCKETS; i++) {
            ASSERT_EQ(SYS(read(pairs[i][1], &answer, 1)), 1);
            ASSERT_EQ(answer, byte);
        }
    }
    int quit[2];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = SOCKETS};
    SYS(pipe(quit));
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, quit[0], &event));
    SYS(write(quit[1], "q", 1));
    for (int i = 0; i < WORKERS; i++) join(workers[i]);
    ASSERT_EQ(handled, SOCKETS * MESSAGES);
    return 0;
}
