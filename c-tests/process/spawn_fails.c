// posix_spawn of what cannot be started gives the error and leaves no child, from threads and main.
#include "coop-test.h"
#include <spawn.h>

extern char **environ;

static void *spawner(void *unused)
{
    (void)unused;
    char *arguments[] = {"none", NULL};
    pid_t child = -5;
    GIVES(posix_spawn(&child, "/nowhere/none", NULL, NULL, arguments, environ), ENOENT);
    GIVES(posix_spawn(&child, "/etc/passwd", NULL, NULL, arguments, environ), EACCES);
    GIVES(posix_spawnp(&child, "no-such-program-anywhere", NULL, NULL, arguments, environ), ENOENT);
    return NULL;
}

int main(void)
{
    join(spawn(spawner, NULL));
    spawner(NULL);
    FAILS(waitpid(-1, NULL, WNOHANG), ECHILD);
    return 0;
}
