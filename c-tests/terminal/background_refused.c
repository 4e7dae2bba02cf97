// A reader in the background that blocks or ignores SIGTTIN gets EIO; one that blocks or ignores SIGTTOU may write and change settings.
#include "terminal.h"

static int master;

static void check(int slave)
{
    struct termios settings;
    char byte;
    FAILS(read(slave, &byte, 1), EIO);
    ASSERT_EQ(SYS(write(slave, "x", 1)), 1);
    SYS(tcgetattr(slave, &settings));
    SYS(tcsetattr(slave, TCSADRAIN, &settings));
    SYS(tcsetattr(slave, TCSANOW, &settings));
}

static void *body(void *fd)
{
    int slave = *(int *)fd;
    sigset_t set = signal_set(SIGTTIN), none;
    sigaddset(&set, SIGTTOU);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    check(slave);
    sigpending(&none);
    ASSERT(!sigismember(&none, SIGTTIN));
    on_signal(SIGTTIN, SIG_IGN, 0);
    on_signal(SIGTTOU, SIG_IGN, 0);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    check(slave);
    return NULL;
}

static int shell(int slave)
{
    struct termios settings;
    SYS(tcgetattr(slave, &settings));
    settings.c_lflag |= TOSTOP;
    SYS(tcsetattr(slave, TCSANOW, &settings));
    ASSERT_EQ(finish(job(body, slave)), 0);
    return 0;
}

int main(void)
{
    ASSERT_EQ(in_session(&master, shell), 0);
    return 0;
}
