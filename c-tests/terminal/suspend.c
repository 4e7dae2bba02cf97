// ^Z stops a job with threads, and SIGCONT continues it: its threads go on where they were.
#include "terminal.h"

static int master;
static _Atomic int ticks;

static void *ticker(void *unused)
{
    for (;;) {
        ticks++;
        sleep_ms(1);
    }
    return unused;
}

static void *reader(void *fd)
{
    char line[16];
    spawn(ticker, NULL);
    UNTIL(ticks > 3);
    write_all(*(int *)fd, "ready", 5);
    ASSERT_EQ(SYS(read(*(int *)fd, line, sizeof line)), 3);
    int before = ticks;
    UNTIL(ticks > before + 3);
    return (void *)5;
}

static int shell(int slave)
{
    char got[5];
    pid_t child = job(reader, slave);
    SYS(tcsetpgrp(slave, child));
    ASSERT_EQ(read_all(master, got, 5), 5);
    write_all(master, "\032", 1);
    ASSERT_EQ(stopped_by(child), SIGTSTP);
    to_foreground(child, slave);
    write_all(master, "ok\n", 3);
    ASSERT_EQ(finish(child), 5);
    return 0;
}

int main(void)
{
    ASSERT_EQ(in_session(&master, shell), 0);
    return 0;
}
