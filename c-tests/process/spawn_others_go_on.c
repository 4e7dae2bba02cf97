// posix_spawn of a child that blocks before its exec (it opens a FIFO) suspends its thread alone: another one lets the child go on.
#include "coop-test.h"
#include <spawn.h>

extern char **environ;
static char path[64];
static volatile int started;

static void *spawner(void *unused)
{
    (void)unused;
    posix_spawn_file_actions_t actions;
    OK(posix_spawn_file_actions_init(&actions));
    OK(posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0));
    char *arguments[] = {"sh", "-c", "read word; test \"$word\" = hello", NULL};
    pid_t child;
    started = 1;
    OK(posix_spawn(&child, "/bin/sh", &actions, NULL, arguments, environ));
    OK(posix_spawn_file_actions_destroy(&actions));
    ASSERT_EQ(finish(child), 0);
    return NULL;
}

int main(void)
{
    snprintf(path, sizeof path, "/tmp/coop-fifo-%d", getpid());
    SYS(mkfifo(path, 0600));
    pthread_t thread = spawn(spawner, NULL);
    UNTIL(started);
    let_others_block();
    int fd = SYS(open(path, O_WRONLY));
    write_all(fd, "hello\n", 6);
    SYS(close(fd));
    join(thread);
    SYS(unlink(path));
    return 0;
}
