// A job in the background that changes the terminal's settings or its foreground group stops (SIGTTOU), and does it when it may.
#include "terminal.h"

static int master;

static void *changes(void *fd)
{
    struct termios settings;
    int slave = *(int *)fd;
    SYS(tcgetattr(slave, &settings));
    settings.c_cc[VMIN] = 9;
    SYS(tcsetattr(slave, TCSANOW, &settings));
    SYS(tcsetattr(slave, TCSADRAIN, &settings));
    SYS(tcdrain(slave));
    SYS(tcflush(slave, TCIFLUSH));
    return NULL;
}

static void *takes(void *fd)
{
    SYS(tcsetpgrp(*(int *)fd, getpgrp()));
    return NULL;
}

static int shell(int slave)
{
    struct termios settings;
    pid_t child = job(changes, slave);
    ASSERT_EQ(stopped_by(child), SIGTTOU);
    SYS(tcgetattr(slave, &settings));
    ASSERT_NE(settings.c_cc[VMIN], 9);
    to_foreground(child, slave);
    ASSERT_EQ(finish(child), 0);
    SYS(tcgetattr(slave, &settings));
    ASSERT_EQ(settings.c_cc[VMIN], 9);
    SYS(tcsetpgrp(slave, getpgrp()));
    child = job(takes, slave);
    ASSERT_EQ(stopped_by(child), SIGTTOU);
    ASSERT_EQ(SYS(tcgetpgrp(slave)), getpgrp());
    to_foreground(child, slave);
    ASSERT_EQ(finish(child), 0);
    return 0;
}

int main(void)
{
    ASSERT_EQ(in_session(&master, shell), 0);
    return 0;
}
