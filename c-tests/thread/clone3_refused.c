// clone3 refuses with EINVAL, before anything is made: half a stack, a signal for a thread, flags of clone's, no signal at all.
#include "coop-test.h"
#include <linux/sched.h>

static char stack[1 << 16];

static void refused(struct clone_args args)
{
    FAILS(syscall(SYS_clone3, &args, sizeof args), EINVAL);
}

static void *body(void *unused)
{
    const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM;
    uint64_t at = (uintptr_t)stack;
    refused((struct clone_args){.flags = thread, .stack = at});
    refused((struct clone_args){.flags = thread, .stack_size = sizeof stack});
    refused((struct clone_args){.flags = thread, .stack = at, .stack_size = UINT64_MAX - at + 1});
    refused((struct clone_args){.flags = thread, .stack = at, .stack_size = sizeof stack, .exit_signal = SIGCHLD});
    refused((struct clone_args){.exit_signal = SIGCHLD, .stack = at});
    refused((struct clone_args){.exit_signal = SIGCHLD, .stack_size = sizeof stack});
    refused((struct clone_args){.exit_signal = 65});
    refused((struct clone_args){.exit_signal = 1000});
    refused((struct clone_args){.flags = SIGCHLD});
    refused((struct clone_args){.flags = 1 << 22, .exit_signal = SIGCHLD});
    refused((struct clone_args){.flags = CLONE_PARENT, .exit_signal = SIGCHLD});
    struct clone_args good = {.exit_signal = SIGCHLD};
    pid_t pid = SYS(syscall(SYS_clone3, &good, sizeof good));
    if (pid == 0) _exit(7);
    ASSERT_EQ(finish(pid), 7);
    return unused;
}

int main(void)
{
    join(spawn(body, NULL));
    return 0;
}
