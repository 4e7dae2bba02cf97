// clone without CLONE_VM as a fork with extras: parent's and child's words, a signal of its own, a pidfd, files shared or not.
#include "coop-test.h"
#include <linux/sched.h>

static volatile pid_t parent_word, child_word;
static volatile int told;

static void handler(int signal)
{
    (void)signal;
    told = 1;
}

static void *clones(void *unused)
{
    int pidfd = -1, opened = SYS(open("/dev/null", O_RDONLY));
    (void)unused;
    struct clone_args args;
    memset(&args, 0, sizeof args);
    args.flags = CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_PIDFD | CLONE_FILES;
    args.parent_tid = (uintptr_t)&parent_word;
    args.child_tid = (uintptr_t)&child_word;
    args.pidfd = (uintptr_t)&pidfd;
    args.exit_signal = SIGUSR1;
    pid_t child = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (child == 0) {
        ASSERT_EQ(child_word, getpid());
        // The table of descriptors is shared: this closes the parent's.
        close(opened);
        _exit(6);
    }
    ASSERT_GT(child, 0);
    ASSERT_EQ(parent_word, child);
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    while (poll(&ended, 1, -1) == -1) ASSERT_EQ(errno, EINTR);
    int status;
    while (waitpid(child, &status, __WALL) == -1) ASSERT_EQ(errno, EINTR);
    ASSERT_EQ(WEXITSTATUS(status), 6);
    FAILS(fcntl(opened, F_GETFD), EBADF);
    UNTIL(told);
    SYS(close(pidfd));
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    join(spawn(clones, NULL));
    return 0;
}
