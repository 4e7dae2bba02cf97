// clone3 for a process: its struct in any size, what it refuses, and CLONE_CLEAR_SIGHAND, which leaves ignored signals ignored.
#include "coop-test.h"
#include <linux/sched.h>

#ifndef CLONE_CLEAR_SIGHAND
#define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif

static _Alignas(64) unsigned char room[8192];

static long clone_with(size_t size, unsigned long flags)
{
    struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
    memset(room, 0, sizeof room);
    memcpy(room, &args, sizeof args < size ? sizeof args : size);
    return syscall(SYS_clone3, room, size);
}

static void handler(int signal)
{
    (void)signal;
}

static void *clones(void *unused)
{
    size_t good[] = {64, 80, 88, 120, 4096}, i;
    for (i = 0; i < sizeof good / sizeof *good; i++) {
        pid_t child = (pid_t)clone_with(good[i], 0);
        if (child == 0) _exit(9);
        ASSERT_GT(child, 0);
        ASSERT_EQ(finish(child), 9);
    }
    FAILS(clone_with(63, 0), EINVAL);
    FAILS(clone_with(4097, 0), E2BIG);
    clone_with(64, CLONE_THREAD);
    room[127] = 1;
    memset(room, 0, 8);
    FAILS(syscall(SYS_clone3, room, 128L), E2BIG);
    FAILS(syscall(SYS_clone3, NULL, 88L), EFAULT);

    on_signal(SIGSEGV, SIG_IGN, 0);
    on_signal(SIGFPE, handler, 0);
    on_signal(SIGUSR1, handler, 0);
    pid_t child = (pid_t)clone_with(64, CLONE_CLEAR_SIGHAND);
    if (child == 0) {
        struct sigaction action;
        sigaction(SIGSEGV, NULL, &action);
        int kept = action.sa_handler == SIG_IGN;
        sigaction(SIGFPE, NULL, &action);
        kept += action.sa_handler == SIG_DFL;
        sigaction(SIGUSR1, NULL, &action);
        kept += action.sa_handler == SIG_DFL;
        _exit(kept);
    }
    ASSERT_EQ(finish(child), 3);
    return unused;
}

int main(void)
{
    join(spawn(clones, NULL));
    clones(NULL);
    return 0;
}
