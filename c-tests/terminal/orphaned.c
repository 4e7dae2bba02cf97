// A job whose keeper is gone is not stopped: its read of the terminal in the background fails with EIO, and so do changes.
#include "terminal.h"
#include <sys/prctl.h>

static int master, report[2];

static void *reader(void *fd)
{
    char byte;
    struct termios settings;
    UNTIL(getppid() != *(int *)((int *)fd + 1));
    FAILS(read(*(int *)fd, &byte, 1), EIO);
    SYS(tcgetattr(*(int *)fd, &settings));
    FAILS(tcsetattr(*(int *)fd, TCSANOW, &settings), EIO);
    FAILS(tcsetpgrp(*(int *)fd, getpgrp()), ENOTTY);
    write_all(report[1], "k", 1);
    return NULL;
}

static int shell(int slave)
{
    // The middle process is the job's parent and goes: the job is left to a process of another session.
    pid_t middle = SYS(fork());
    if (middle == 0) {
        int argument[2] = {slave, getpid()};
        if (SYS(fork()) == 0) {
            on_signal(SIGTTOU, SIG_DFL, 0);
            SYS(setpgid(0, 0));
            join(spawn(reader, argument));
            _exit(0);
        }
        sleep_ms(20);
        _exit(0);
    }
    ASSERT_EQ(finish(middle), 0);
    char word;
    ASSERT_EQ(read_all(report[0], &word, 1), 1);
    return 0;
}

int main(void)
{
    // Orphans come to this process, which is in another session.
    SYS(prctl(PR_SET_CHILD_SUBREAPER, 1));
    SYS(pipe(report));
    ASSERT_EQ(in_session(&master, shell), 0);
    while (wait(NULL) > 0);
    return 0;
}
