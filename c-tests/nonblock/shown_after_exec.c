// What a program started by exec sees of a descriptor's flags is what its parent set, also while a thread waits on it.
#include "coop-test.h"
#include <spawn.h>

extern char **environ;
static int ends[2], other[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        ASSERT_EQ(SYS(fcntl(atoi(argv[1]), F_GETFL)) & O_NONBLOCK, 0);
        ASSERT_NE(SYS(fcntl(atoi(argv[2]), F_GETFL)) & O_NONBLOCK, 0);
        return 0;
    }
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    SYS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, other));
    pthread_t thread = spawn(reader, NULL);
    until_others_wait();
    char first[16], second[16];
    snprintf(first, sizeof first, "%d", ends[0]);
    snprintf(second, sizeof second, "%d", other[0]);
    char *arguments[] = {argv[0], first, second, NULL};
    pid_t child;
    OK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ));
    ASSERT_EQ(finish(child), 0);
    write_all(ends[1], "x", 1);
    join(thread);
    return 0;
}
