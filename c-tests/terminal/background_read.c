// A thread of a job in the background that reads the terminal stops the job (SIGTTIN); in the foreground it gets its line.
#include "terminal.h"

static int master;

static void *reader(void *fd)
{
    char line[16] = "";
    ASSERT_EQ(SYS(read(*(int *)fd, line, sizeof line)), 5);
    ASSERT_STR(line, "line\n");
    return (void *)7;
}

static int shell(int slave)
{
    pid_t child = job(reader, slave);
    ASSERT_EQ(stopped_by(child), SIGTTIN);
    to_foreground(child, slave);
    write_all(master, "line\n", 5);
    ASSERT_EQ(finish(child), 7);
    return 0;
}

int main(void)
{
    ASSERT_EQ(in_session(&master, shell), 0);
    return 0;
}
