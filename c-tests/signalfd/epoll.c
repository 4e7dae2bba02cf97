// epoll, poll and select say that a signalfd can be read: for a signal of the process's to any thread, for a thread's own to it alone.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>

static int descriptor, epoll;
static _Atomic int ready;

static void *body(void *argument)
{
    struct epoll_event event;
    struct pollfd one = {.fd = descriptor, .events = POLLIN};
    struct signalfd_siginfo info;
    fd_set set;
    for (int round = 0; round < 3; round++) {
        ready++;
        switch ((int)(intptr_t)argument) {
        case 0:
            ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, -1)), 1);
            ASSERT_EQ(event.events, EPOLLIN);
            ASSERT_EQ(event.data.u32, 5);
            break;
        case 1:
            ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
            ASSERT_EQ(one.revents, POLLIN);
            break;
        case 2:
            FD_ZERO(&set);
            FD_SET(descriptor, &set);
            ASSERT_EQ(SYS(select(descriptor + 1, &set, NULL, NULL, NULL)), 1);
            ASSERT(FD_ISSET(descriptor, &set));
            break;
        }
        ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
        ASSERT_EQ(info.ssi_signo, SIGUSR1);
        FAILS(read(descriptor, &info, sizeof info), EAGAIN);
        ASSERT_EQ(SYS(epoll_wait(epoll, &event, 1, 0)), 0);
    }
    return NULL;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    descriptor = SYS(signalfd(-1, &set, SFD_NONBLOCK));
    epoll = SYS(epoll_create1(0));
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 5};
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event));
    for (intptr_t how = 0; how < 3; how++) {
        ready = 0;
        pthread_t thread = spawn(body, (void *)how);
        for (int round = 1; round <= 3; round++) {
            UNTIL(ready == round);
            if (round != 2) let_others_block();
            OK(round == 3 ? kill(getpid(), SIGUSR1) : pthread_kill(thread, SIGUSR1));
        }
        join(thread);
    }
    return 0;
}
