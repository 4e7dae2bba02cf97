// Threads with something of their own wait for descriptors although no number is free: pipes, sockets, poll, select, epoll, with time-outs.
#include "own.h"
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>

static int pipes[5][2], pair[2], epoll;
static sem_t ready;

static void *nothing(void *argument)
{
    return argument;
}

static void *waits(void *argument)
{
    int kind = (int)(intptr_t)argument, fd = pipes[kind][0];
    char byte;
    SYS(prctl(PR_SET_TIMERSLACK, 71000 + kind, 0, 0, 0));
    struct pollfd one = {fd, POLLIN, 0};
    struct epoll_event event;
    struct timeval soon = {0, 20000};
    fd_set set;
    if (kind == 0 || kind == 4) sem_post(&ready);
    switch (kind) {
    case 1:
        ASSERT_EQ(poll(&one, 1, 20), 0);
        sem_post(&ready);
        ASSERT_EQ(poll(&one, 1, -1), 1);
        break;
    case 2:
        FD_ZERO(&set);
        FD_SET(fd, &set);
        ASSERT_EQ(select(fd + 1, &set, NULL, NULL, &soon), 0);
        sem_post(&ready);
        FD_SET(fd, &set);
        ASSERT_EQ(select(fd + 1, &set, NULL, NULL, NULL), 1);
        break;
    case 3:
        ASSERT_EQ(epoll_wait(epoll, &event, 1, 20), 0);
        sem_post(&ready);
        ASSERT_EQ(epoll_wait(epoll, &event, 1, -1), 1);
        break;
    case 4:
        ASSERT_EQ(recv(pair[0], &byte, 1, 0), 1);
        break;
    default: break;
    }
    ASSERT_EQ(read(fd, &byte, 1), 1);
    return NULL;
}

int main(void)
{
    enum { KINDS = 5 };
    pthread_t threads[KINDS];
    struct rlimit limit = {64, 64};
    struct epoll_event event = {.events = EPOLLIN};
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    for (int i = 0; i < KINDS; i++) SYS(pipe(pipes[i]));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    epoll = SYS(epoll_create1(0));
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, pipes[3][0], &event));
    sem_init(&ready, 0, 0);
    join(spawn(nothing, NULL));
    while (dup(0) != -1) {}
    ASSERT_EQ(errno, EMFILE);
    for (int i = 0; i < KINDS; i++) threads[i] = spawn(waits, (void *)(intptr_t)i);
    for (int i = 0; i < KINDS; i++)
        while (sem_wait(&ready) != 0) {}
    let_others_block();
    write_all(pair[1], "x", 1);
    for (int i = 0; i < KINDS; i++) write_all(pipes[i][1], "x", 1);
    for (int i = 0; i < KINDS; i++) join(threads[i]);
    return 0;
}
