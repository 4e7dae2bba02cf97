// What the caller itself puts into a child's environment stays, and with COOP_CHILDREN=0 nothing is added.
// env: COOP_CHILDREN=0
#include "coop-test.h"

static void *starts(void *unused)
{
    (void)unused;
    char *none[] = {NULL};
    char *own[] = {"LD_PRELOAD=", "COOP_HUBS=7", NULL};
    char *asks_none[] = {"sh", "-c", "test -z \"$LD_PRELOAD$COOP_HUBS$COOP_CHILDREN\"", NULL};
    char *asks_own[] = {"sh", "-c", "test -z \"$LD_PRELOAD\" && test \"$COOP_HUBS\" = 7", NULL};
    pid_t child = SYS(fork());
    if (child == 0) {
        execve("/bin/sh", asks_none, none);
        _exit(99);
    }
    ASSERT_EQ(finish(child), 0);
    child = SYS(fork());
    if (child == 0) {
        execve("/bin/sh", asks_own, own);
        _exit(99);
    }
    ASSERT_EQ(finish(child), 0);
    return NULL;
}

int main(void)
{
    starts(NULL);
    join(spawn(starts, NULL));
    return 0;
}
