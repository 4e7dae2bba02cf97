// A new program has the descriptors that the caller left to it, and none of anybody else's, however it was started.
#include "coop-test.h"
#include <spawn.h>

extern char **environ;
static int kept;

// 0, 1, 2, the kept one, and that of the listing itself.
static char script[] = "set -- /proc/self/fd/*; test $# = 5 -o $# = 4";

static void *starts(void *unused)
{
    (void)unused;
    char *arguments[] = {"sh", "-c", script, NULL};
    pid_t child = SYS(fork());
    if (child == 0) {
        execv("/bin/sh", arguments);
        _exit(99);
    }
    ASSERT_EQ(finish(child), 0);
    child = vfork();
    if (child == 0) {
        execv("/bin/sh", arguments);
        _exit(99);
    }
    ASSERT_EQ(finish(child), 0);
    OK(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ));
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(system(script), 0);
    return NULL;
}

int main(void)
{
    close_range(3, 1000, 0);
    kept = SYS(open("/dev/null", O_RDONLY));
    SYS(open("/dev/null", O_RDONLY | O_CLOEXEC));
    pthread_t waiting = spawn(pause_for_ever, NULL);
    starts(NULL);
    join(spawn(starts, NULL));
    OK(pthread_cancel(waiting));
    join(waiting);
    return 0;
}
