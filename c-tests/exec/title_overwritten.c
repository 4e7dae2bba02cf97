// A program that overwrites its environment's memory, as to change its title, has its log where it was asked for.
// only: preloaded
// env: COOP_LOG=info
// env: COOP_LOG_FILE=title-log
#include "coop-test.h"

extern char **environ;

static void *ends(void *unused)
{
    return unused;
}

int main(int count, char **arguments)
{
    ASSERT_GT(count, 0);
    unlink("title-log");
    char **last = environ;
    while (last[1] != NULL) last++;
    char *end = *last + strlen(*last);
    static char *none[] = {NULL};
    environ = none;
    memset(arguments[0], 'x', end - arguments[0]);
    join(spawn(ends, NULL));
    struct stat log;
    SYS(stat("title-log", &log));
    ASSERT_GT(log.st_size, 0);
    return 0;
}
