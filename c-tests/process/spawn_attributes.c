// posix_spawn's attributes: signal mask and defaults, process group, session, from a thread.
#include "coop-test.h"
#include <spawn.h>

extern char **environ;

static void *spawner(void *unused)
{
    (void)unused;
    posix_spawnattr_t attributes;
    sigset_t mask = signal_set(SIGUSR1), defaults = signal_set(SIGUSR2);
    on_signal(SIGUSR2, SIG_IGN, 0);
    OK(posix_spawnattr_init(&attributes));
    OK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
    OK(posix_spawnattr_setsigmask(&attributes, &mask));
    OK(posix_spawnattr_setsigdefault(&attributes, &defaults));
    OK(posix_spawnattr_setpgroup(&attributes, 0));
    // Field 5 of stat is the process group; SigBlk and SigIgn are masks in hexadecimal.
    char *arguments[] = {"sh", "-c",
                         "read _ _ _ _ group _ < /proc/self/stat\n"
                         "test \"$group\" = $$ || exit 1\n"
                         "while read name value; do case $name in\n"
                         "SigBlk:) test \"$value\" = 0000000000000200 || exit 2;;\n"
                         "SigIgn:) test $((0x$value & 0x800)) = 0 || exit 3;;\n"
                         "esac; done < /proc/$$/status",
                         NULL};
    pid_t child;
    OK(posix_spawn(&child, "/bin/sh", NULL, &attributes, arguments, environ));
    ASSERT_EQ(finish(child), 0);
    OK(posix_spawnattr_destroy(&attributes));
    return NULL;
}

int main(void)
{
    join(spawn(spawner, NULL));
    return 0;
}
