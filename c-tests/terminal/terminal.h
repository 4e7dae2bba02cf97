// A terminal of the test's own, as its controlling terminal, and processes in its background.
#ifndef TERMINAL_H
#define TERMINAL_H

#include "coop-test.h"
#include <sys/ioctl.h>
#include <termios.h>

// A new terminal without echo: the master's side. The slave's is opened without becoming the controlling terminal.
static inline int new_terminal(int *slave)
{
    struct termios settings;
    int master = SYS(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    SYS(grantpt(master));
    SYS(unlockpt(master));
    *slave = SYS(open(ptsname(master), O_RDWR | O_NOCTTY));
    SYS(tcgetattr(*slave, &settings));
    settings.c_lflag &= ~(tcflag_t)ECHO;
    settings.c_oflag &= ~(tcflag_t)OPOST;
    SYS(tcsetattr(*slave, TCSANOW, &settings));
    return master;
}

static inline void set_raw(int fd, int vmin, int vtime)
{
    struct termios settings;
    SYS(tcgetattr(fd, &settings));
    cfmakeraw(&settings);
    settings.c_cc[VMIN] = (cc_t)vmin;
    settings.c_cc[VTIME] = (cc_t)vtime;
    SYS(tcsetattr(fd, TCSANOW, &settings));
}

// Runs shell(slave) as a session of its own with the terminal as its controlling one; its exit status.
static inline int in_session(int *master, int (*shell)(int slave))
{
    int slave;
    *master = new_terminal(&slave);
    pid_t leader = SYS(fork());
    if (leader == 0) {
        SYS(setsid());
        SYS(ioctl(slave, TIOCSCTTY, 0));
        on_signal(SIGTTOU, SIG_IGN, 0);
        exit(shell(slave));
    }
    SYS(close(slave));
    return finish(leader);
}

// A job: a child in a process group of its own, in the background. Its signals are the default ones.
static inline pid_t job(void *(*body)(void *), int slave)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(setpgid(0, 0));
        on_signal(SIGTTOU, SIG_DFL, 0);
        exit((int)(intptr_t)join(spawn(body, &slave)));
    }
    setpgid(child, child);
    return child;
}

// Waits until a job has stopped; by which signal.
static inline int stopped_by(pid_t child)
{
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, WUNTRACED)), child);
    if (!WIFSTOPPED(status)) FAIL("not stopped: status %x", status);
    return WSTOPSIG(status);
}

// Puts a stopped job into the foreground and continues it.
static inline void to_foreground(pid_t child, int slave)
{
    SYS(tcsetpgrp(slave, child));
    SYS(kill(-child, SIGCONT));
}

#endif
