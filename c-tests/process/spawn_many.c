// Twenty threads spawn programs at the same time; each gets its own child's status.
#include "coop-test.h"
#include <spawn.h>

extern char **environ;

static void *spawner(void *argument)
{
    char command[32];
    snprintf(command, sizeof command, "exit %d", (int)(intptr_t)argument);
    char *arguments[] = {"sh", "-c", command, NULL};
    for (int i = 0; i < 3; i++) {
        pid_t child;
        OK(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ));
        ASSERT_EQ(finish(child), (intptr_t)argument);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[20];
    for (intptr_t i = 0; i < 20; i++) threads[i] = spawn_small(spawner, (void *)(i + 1));
    for (int i = 0; i < 20; i++) join(threads[i]);
    return 0;
}
