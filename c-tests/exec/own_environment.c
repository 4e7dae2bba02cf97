// A program started with an environment of the caller's own making still gets the library's variables: by every function that takes one.
#include "coop-test.h"
#include <spawn.h>

static char *expected;
static char *environment[] = {"MINE=1", NULL};
static char script[] = "test \"$LD_PRELOAD\" = \"$0\" && test \"$MINE\" = 1";

static void exec_with(int which)
{
    char *arguments[] = {"sh", "-c", script, expected, NULL};
    int fd;
    switch (which) {
    case 0: execve("/bin/sh", arguments, environment); break;
    case 1: execvpe("sh", arguments, environment); break;
    case 2:
        fd = open("/bin/sh", O_RDONLY);
        fexecve(fd, arguments, environment);
        break;
    case 3:
        environ = environment;
        execv("/bin/sh", arguments);
        break;
    case 4:
        environ = environment;
        execvp("/bin/sh", arguments);
        break;
    }
    _exit(99);
}

static void *starts(void *unused)
{
    (void)unused;
    char *arguments[] = {"sh", "-c", script, expected, NULL};
    pid_t child;
    for (int which = 0; which < 5; which++) {
        child = SYS(fork());
        if (child == 0) exec_with(which);
        ASSERT_EQ(finish(child), 0);
    }
    child = vfork();
    if (child == 0) {
        execve("/bin/sh", arguments, environment);
        _exit(99);
    }
    ASSERT_EQ(finish(child), 0);
    OK(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environment));
    ASSERT_EQ(finish(child), 0);
    OK(posix_spawnp(&child, "sh", NULL, NULL, arguments, environment));
    ASSERT_EQ(finish(child), 0);
    return NULL;
}

int main(void)
{
    expected = getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "";
    starts(NULL);
    join(spawn(starts, NULL));
    starts(NULL);
    return 0;
}
