// Children of every kind are made with the credentials of the moment: fork, vfork, posix_spawn, system, popen.
#include "cred.h"
#include <spawn.h>

extern char **environ;

static void *makes(void *unused)
{
    (void)unused;
    pid_t child = SYS(fork());
    if (child == 0) _exit(getuid() == NOBODY && geteuid() == NOBODY && setuid(0) == -1 ? 0 : 1);
    ASSERT_EQ(finish(child), 0);
    child = vfork();
    if (child == 0) _exit(getuid() == NOBODY && setuid(0) == -1 ? 0 : 1);
    ASSERT_EQ(finish(child), 0);
    char *arguments[] = {"sh", "-c", "test $(id -u) = 65534", NULL};
    OK(posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ));
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(system("test $(id -g) = 65534"), 0);
    char line[20];
    FILE *from = popen("id -u", "r");
    ASSERT(fgets(line, sizeof line, from) != NULL);
    ASSERT_STR(line, "65534\n");
    ASSERT_EQ(pclose(from), 0);
    return NULL;
}

static void *spawns_before(void *unused)
{
    (void)unused;
    ASSERT_EQ(system("exit 0"), 0);
    return NULL;
}

int main(void)
{
    need_root();
    // Whatever carries these calls exists from now on, with root's rights.
    join(spawn(spawns_before, NULL));
    pthread_t waiting = spawn(pause_for_ever, NULL);
    SYS(setresgid(NOBODY, NOBODY, NOBODY));
    SYS(setresuid(NOBODY, NOBODY, NOBODY));
    join(spawn(makes, NULL));
    makes(NULL);
    OK(pthread_cancel(waiting));
    join(waiting);
    return 0;
}
