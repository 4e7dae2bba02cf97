// A child that its parent traces stops at signals, and a wait for it by its id tells so without WUNTRACED; __WNOTHREAD finds the caller's own children.
#include "coop-test.h"
#include <sys/ptrace.h>

static pid_t stops_itself(int code)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(99);
        raise(SIGUSR1);
        usleep(20000);
        raise(SIGUSR2);
        _exit(code);
    }
    return child;
}

static void *traces(void *unused)
{
    int status;
    pid_t child = stops_itself(3);
    for (int stop = 0; stop < 2; stop++) {
        ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
        ASSERT(WIFSTOPPED(status));
        ASSERT_EQ(WSTOPSIG(status), stop ? SIGUSR2 : SIGUSR1);
        SYS(ptrace(PTRACE_CONT, child, 0, 0));
    }
    ASSERT_EQ(finish(child), 3);
    return unused;
}

static void *own(void *unused)
{
    int status;
    pid_t child = SYS(fork());
    if (child == 0) _exit(5);
    ASSERT_EQ(SYS(waitpid(child, &status, __WNOTHREAD)), child);
    ASSERT_EQ(WEXITSTATUS(status), 5);
    child = SYS(fork());
    if (child == 0) _exit(6);
    ASSERT_EQ(SYS(waitpid(child, &status, __WALL | __WNOTHREAD)), child);
    ASSERT_EQ(WEXITSTATUS(status), 6);
    return unused;
}

int main(void)
{
    join(spawn(traces, NULL));
    traces(NULL);
    join(spawn(own, NULL));
    own(NULL);
    return 0;
}
