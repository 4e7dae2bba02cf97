// The common pattern: all signals blocked, one loop on an epoll with a signalfd, sockets and a timer; threads work beside it.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#define SIGNALS 200

static int pair[2];
static _Atomic int sent;

static void *worker(void *unused)
{
    char byte;
    while (read(pair[1], &byte, 1) == 1) write_all(pair[1], &byte, 1);
    return unused;
}

static void *sender(void *unused)
{
    for (int i = 0; i < SIGNALS; i++) {
        SYS(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}));
        sent++;
        if (i % 16 == 0) sleep_ms(1);
    }
    return unused;
}

int main(void)
{
    sigset_t all;
    sigfillset(&all);
    OK(pthread_sigmask(SIG_BLOCK, &all, NULL));
    int signals = SYS(signalfd(-1, &all, SFD_NONBLOCK | SFD_CLOEXEC)), epoll = SYS(epoll_create1(0));
    int timer = SYS(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    int watched[] = {signals, pair[0], timer};
    for (int i = 0; i < 3; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = watched[i]};
        SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, watched[i], &event));
    }
    struct itimerspec often = {{0, NS_PER_MS}, {0, NS_PER_MS}};
    SYS(timerfd_settime(timer, 0, &often, NULL));
    pthread_t threads[2] = {spawn(worker, NULL), spawn(sender, NULL)};
    write_all(pair[0], "x", 1);
    int got = 0, child_ended = 0, ticks = 0, echoes = 0;
    pid_t child = 0;
    while (got < SIGNALS || !child_ended || ticks < 3 || echoes < 20) {
        struct epoll_event events[8];
        int found = SYS(epoll_wait(epoll, events, 8, -1));
        for (int i = 0; i < found; i++) {
            struct signalfd_siginfo info;
            uint64_t count;
            char byte;
            if (events[i].data.fd == signals) {
                while (read(signals, &info, sizeof info) == sizeof info) {
                    if (info.ssi_signo == SIGCHLD) {
                        ASSERT_EQ(info.ssi_pid, child);
                        ASSERT_EQ(info.ssi_code, CLD_EXITED);
                        ASSERT_EQ(info.ssi_status, 9);
                        ASSERT_EQ(finish(child), 9);
                        child_ended++;
                    } else {
                        ASSERT_EQ(info.ssi_signo, SIGRTMIN + 1);
                        ASSERT_EQ(info.ssi_int, got);
                        got++;
                    }
                }
                ASSERT_EQ(errno, EAGAIN);
            } else if (events[i].data.fd == timer) {
                if (read(timer, &count, 8) == 8) ticks += count;
            } else {
                ASSERT_EQ(SYS(read(pair[0], &byte, 1)), 1);
                write_all(pair[0], &byte, 1);
                echoes++;
            }
        }
        if (got > 10 && child == 0) {
            child = SYS(fork());
            if (child == 0) _exit(9);
        }
    }
    ASSERT_EQ(child_ended, 1);
    ASSERT_EQ(got, SIGNALS);
    SYS(shutdown(pair[0], SHUT_WR));
    for (int i = 0; i < 2; i++) join(threads[i]);
    return 0;
}
