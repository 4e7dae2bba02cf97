// When the terminal goes, threads that read it get the end of file or EIO, writers EIO, and the session's leader SIGHUP.
#include "terminal.h"

static int slave;
static _Atomic int hung_up;

static void count(int number)
{
    (void)number;
    hung_up++;
}

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    if (read(slave, &byte, 1) != 0) ASSERT_EQ(errno, EIO);
    return NULL;
}

int main(void)
{
    int master = new_terminal(&slave);
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(setsid());
        SYS(ioctl(slave, TIOCSCTTY, 0));
        on_signal(SIGHUP, count, SA_RESTART);
        pthread_t one = spawn(reader, NULL), two = spawn(reader, NULL);
        let_others_block();
        SYS(close(master));
        join(one);
        join(two);
        FAILS(write(slave, "x", 1), EIO);
        UNTIL(hung_up);
        _exit(9);
    }
    SYS(close(master));
    ASSERT_EQ(finish(child), 9);
    return 0;
}
