// waitid on a pidfd with O_NONBLOCK does not wait: EAGAIN while the child runs. Without the flag it waits again.
#include "coop-test.h"
#include <sys/wait.h>

enum { NONBLOCKING = O_NONBLOCK, PIDFD = 3 };
static int gate[2];

static void *waits(void *unused)
{
    siginfo_t info;
    char byte;
    pid_t pid = SYS(fork());
    if (pid == 0) _exit(read(gate[0], &byte, 1) == 1 ? 7 : 1);
    int fd = SYS(syscall(SYS_pidfd_open, pid, NONBLOCKING));
    FAILS(waitid((idtype_t)PIDFD, fd, &info, WEXITED), EAGAIN);
    FAILS(syscall(SYS_waitid, PIDFD, fd, NULL, WEXITED, NULL), EAGAIN);
    info.si_pid = 1;
    ASSERT_EQ(SYS(waitid((idtype_t)PIDFD, fd, &info, WEXITED | WNOHANG)), 0);
    ASSERT_EQ(info.si_pid, 0);
    SYS(fcntl(fd, F_SETFL, 0));
    write_all(gate[1], "x", 1);
    SYS(waitid((idtype_t)PIDFD, fd, &info, WEXITED));
    ASSERT_EQ(info.si_pid, pid);
    ASSERT_EQ(info.si_status, 7);
    SYS(close(fd));
    return unused;
}

int main(void)
{
    SYS(pipe(gate));
    if (syscall(SYS_pidfd_open, getpid(), NONBLOCKING) == -1) SKIP("the kernel knows no non-blocking pidfd");
    join(spawn(waits, NULL));
    return 0;
}
