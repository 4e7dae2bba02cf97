// A pidfd: poll says when the child has ended, in several threads, and waitid with P_PIDFD reaps it once.
#include "coop-test.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int pidfd;

static void *polls(void *unused)
{
    (void)unused;
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    ASSERT_EQ(SYS(poll(&ended, 1, -1)), 1);
    ASSERT(ended.revents & POLLIN);
    return NULL;
}

int main(void)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        sleep_ms(30);
        _exit(9);
    }
    pidfd = SYS(syscall(SYS_pidfd_open, child, 0));
    pthread_t one = spawn(polls, NULL), two = spawn(polls, NULL);
    siginfo_t info;
    SYS(waitid((idtype_t)P_PIDFD, pidfd, &info, WEXITED));
    ASSERT_EQ(info.si_status, 9);
    join(one);
    join(two);
    FAILS(waitid((idtype_t)P_PIDFD, pidfd, &info, WEXITED), ECHILD);
    return 0;
}
