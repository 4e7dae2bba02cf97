// waitid fills in who and how, leaves the child with WNOWAIT, and waits for a pidfd's process.
#include "coop-test.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int ends[2];
static pid_t child;

static void *by_pid(void *unused)
{
    (void)unused;
    siginfo_t info;
    SYS(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT));
    ASSERT_EQ(info.si_pid, child);
    ASSERT_EQ(info.si_code, CLD_EXITED);
    ASSERT_EQ(info.si_status, 9);
    ASSERT_EQ(info.si_signo, SIGCHLD);
    return NULL;
}

static void *by_pidfd(void *unused)
{
    (void)unused;
    siginfo_t info;
    int fd = SYS(syscall(SYS_pidfd_open, child, 0));
    SYS(waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED | WNOWAIT));
    ASSERT_EQ(info.si_pid, child);
    struct pollfd one = {fd, POLLIN, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    return NULL;
}

int main(void)
{
    char byte;
    SYS(pipe(ends));
    child = SYS(fork());
    if (child == 0) {
        SYS(read(ends[0], &byte, 1));
        _exit(9);
    }
    pthread_t one = spawn(by_pid, NULL), two = spawn(by_pidfd, NULL);
    let_others_block();
    SYS(write(ends[1], "x", 1));
    join(one);
    join(two);
    siginfo_t info;
    SYS(waitid(P_ALL, 0, &info, WEXITED));
    ASSERT_EQ(info.si_pid, child);
    FAILS(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
    FAILS(waitid(P_ALL, 0, &info, 0), EINVAL);
    return 0;
}
