// Processes are made in every way, exec fails, credentials change and threads come and go, all at the same time and by tasks of several kinds: nobody
// waits for ever for who waits for him.
#include "making.h"

enum { EACH = 2, ROUNDS = 40 };

static void changes_user(void)
{
    SYS(seteuid(geteuid()));
}

static void *comes_and_goes(void *unused)
{
    return unused;
}

static void makes_a_thread(void)
{
    join(spawn(comes_and_goes, NULL));
}

// On an OS thread of its own, where the library carries the calls out itself.
static void becomes_nothing_apart(void)
{
    SYS(unshare(CLONE_FS));
    becomes_nothing();
}

static void (*const deeds[])(void) = {
    forks, clones_and_waits, vforks, spawns_nothing, becomes_nothing, changes_user, makes_a_thread, becomes_nothing_apart,
};
enum { DEEDS = sizeof deeds / sizeof *deeds };

static void *does(void *deed)
{
    for (int i = 0; i < ROUNDS; i++) deeds[(long)deed]();
    return NULL;
}

int main(void)
{
    pthread_t threads[DEEDS][EACH];
    for (long deed = 0; deed < DEEDS; deed++)
        for (int i = 0; i < EACH; i++) threads[deed][i] = spawn(does, (void *)deed);
    for (int deed = 0; deed < DEEDS; deed++)
        for (int i = 0; i < EACH; i++) join(threads[deed][i]);
    FAILS(waitpid(-1, NULL, 0), ECHILD);
    return 0;
}
