// A job that is continued in the background stops again at its read, as often as that happens.
#include "terminal.h"

static int master;

static void *reader(void *fd)
{
    char line[16] = "";
    ASSERT_EQ(SYS(read(*(int *)fd, line, sizeof line)), 5);
    return NULL;
}

static int shell(int slave)
{
    pid_t child = job(reader, slave);
    for (int i = 0; i < 4; i++) {
        ASSERT_EQ(stopped_by(child), SIGTTIN);
        SYS(kill(-child, SIGCONT));
    }
    ASSERT_EQ(stopped_by(child), SIGTTIN);
    to_foreground(child, slave);
    write_all(master, "line\n", 5);
    ASSERT_EQ(finish(child), 0);
    return 0;
}

int main(void)
{
    ASSERT_EQ(in_session(&master, shell), 0);
    return 0;
}
