// A write from the background goes through; under TOSTOP it stops the job (SIGTTOU).
#include "terminal.h"

static int master;

static void *writer(void *fd)
{
    ASSERT_EQ(SYS(write(*(int *)fd, "free", 4)), 4);
    raise(SIGSTOP);
    ASSERT_EQ(SYS(write(*(int *)fd, "late", 4)), 4);
    return NULL;
}

static int shell(int slave)
{
    char got[4];
    struct termios settings;
    pid_t child = job(writer, slave);
    ASSERT_EQ(stopped_by(child), SIGSTOP);
    ASSERT_EQ(read_all(master, got, 4), 4);
    ASSERT_MEM(got, "free", 4);
    SYS(tcgetattr(slave, &settings));
    settings.c_lflag |= TOSTOP;
    SYS(tcsetattr(slave, TCSANOW, &settings));
    SYS(kill(-child, SIGCONT));
    ASSERT_EQ(stopped_by(child), SIGTTOU);
    struct pollfd poll_master = {.fd = master, .events = POLLIN};
    ASSERT_EQ(SYS(poll(&poll_master, 1, 0)), 0);
    to_foreground(child, slave);
    ASSERT_EQ(read_all(master, got, 4), 4);
    ASSERT_MEM(got, "late", 4);
    ASSERT_EQ(finish(child), 0);
    return 0;
}

int main(void)
{
    ASSERT_EQ(in_session(&master, shell), 0);
    return 0;
}
