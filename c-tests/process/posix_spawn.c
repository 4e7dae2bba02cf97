// posix_spawn from ten threads: file actions, environment and signal mask arrive, and the output is waited for.
#include "coop-test.h"
#include <spawn.h>

static void *body(void *argument)
{
    int ends[2];
    char variable[32], line[64] = "";
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    pid_t child;
    SYS(pipe2(ends, O_CLOEXEC));
    OK(posix_spawn_file_actions_init(&actions));
    OK(posix_spawn_file_actions_adddup2(&actions, ends[1], 1));
    OK(posix_spawnattr_init(&attributes));
    sigemptyset(&none);
    OK(posix_spawnattr_setsigmask(&attributes, &none));
    OK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP));

    snprintf(variable, sizeof variable, "NUMBER=%d", (int)(intptr_t)argument);
    char *arguments[] = {(char *)"sh", (char *)"-c", (char *)"sleep 0.02; echo number $NUMBER; exit 4", NULL};
    char *environment[] = {variable, (char *)"PATH=/usr/bin:/bin", NULL};
    OK(posix_spawn(&child, "/bin/sh", &actions, &attributes, arguments, environment));
    SYS(close(ends[1]));
    read_all(ends[0], line, sizeof line - 1);
    snprintf(variable, sizeof variable, "number %d\n", (int)(intptr_t)argument);
    ASSERT_STR(line, variable);
    ASSERT_EQ(finish(child), 4);

    GIVES(posix_spawn(&child, "/nonexistent", NULL, NULL, arguments, environment), ENOENT);
    SYS(close(ends[0]));
    return NULL;
}

int main(void)
{
    pthread_t threads[10];
    for (intptr_t i = 0; i < 10; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 10; i++) join(threads[i]);
    return 0;
}
