// The ways to make a process, and to fail to.
#ifndef MAKING_H
#define MAKING_H

#include "coop-test.h"
#include <spawn.h>

extern char **environ;

static inline void forks(void)
{
    pid_t pid = SYS(fork());
    if (pid == 0) _exit(7);
    ASSERT_EQ(finish(pid), 7);
}

static inline void clones_and_waits(void)
{
    pid_t pid = SYS(syscall(SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL));
    if (pid == 0) _exit(7);
    ASSERT_EQ(finish(pid), 7);
}

static inline void vforks(void)
{
    pid_t pid = vfork();
    if (pid == 0) _exit(7);
    ASSERT_EQ(finish(SYS(pid)), 7);
}

static inline void spawns_nothing(void)
{
    char *arguments[] = {"nothing", NULL};
    pid_t pid;
    GIVES(posix_spawn(&pid, "/nothing/there", NULL, NULL, arguments, environ), ENOENT);
}

static inline void becomes_nothing(void)
{
    char *arguments[] = {"nothing", NULL};
    FAILS(execve("/nothing/there", arguments, environ), ENOENT);
}

#endif
