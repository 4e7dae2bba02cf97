// At the limit of descriptors, threads still wait in every way, are woken, and accept says EMFILE until there is room.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>

static int ends[2], epoll, listener;
static struct sockaddr_in address;

static void *reads(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return unused;
}

static void *polls(void *unused)
{
    struct pollfd one = {ends[0], POLLIN, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    return unused;
}

static void *waits(void *unused)
{
    struct epoll_event event;
    ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
    return unused;
}

static void *reaps(void *child)
{
    ASSERT_EQ(finish((pid_t)(intptr_t)child), 0);
    return NULL;
}

static void *sleeps(void *unused)
{
    sleep_ms(20);
    return unused;
}

int main(void)
{
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 100;
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    SYS(pipe(ends));
    epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event));
    listener = tcp_listener(&address, 4);
    int client = tcp_connect(&address), go[2];
    SYS(pipe(go));
    pid_t child = SYS(fork());
    if (child == 0) {
        char byte;
        _exit(read(go[0], &byte, 1) != 1);
    }
    join(spawn(sleeps, NULL));
    int last = -1, fd;
    while ((fd = dup(0)) != -1) last = fd;
    ASSERT_EQ(errno, EMFILE);
    pthread_t threads[] = {spawn(polls, NULL), spawn(waits, NULL), spawn(sleeps, NULL), spawn(reaps, (void *)(intptr_t)child)};
    let_others_block();
    FAILS(accept(listener, NULL, NULL), EMFILE);
    write_all(go[1], "x", 1);
    write_all(ends[1], "x", 1);
    for (int i = 0; i < 4; i++) join(threads[i]);
    reads(NULL);
    pthread_t reader = spawn(reads, NULL);
    let_others_block();
    write_all(ends[1], "x", 1);
    join(reader);
    SYS(close(last));
    ASSERT_EQ(SYS(accept(listener, NULL, NULL)), last);
    SYS(close(client));
    return 0;
}
