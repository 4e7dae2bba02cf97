// A thread that is not main changes the process's credentials, while main waits for it and others come and go.
#include "cred.h"

static volatile int stop;

static void *nothing(void *unused)
{
    return unused;
}

static void *comes_and_goes(void *unused)
{
    (void)unused;
    while (!stop) join(spawn_small(nothing, NULL));
    return NULL;
}

static void *changes(void *unused)
{
    (void)unused;
    for (int i = 0; i < 20; i++) {
        SYS(setegid(NOBODY));
        SYS(seteuid(NOBODY));
        ASSERT_EQ(geteuid(), NOBODY);
        SYS(seteuid(0));
        SYS(setegid(0));
        ASSERT_EQ(getegid(), 0);
    }
    SYS(setresgid(NOBODY, NOBODY, NOBODY));
    SYS(setresuid(NOBODY, NOBODY, NOBODY));
    return NULL;
}

int main(void)
{
    need_root();
    pthread_t others = spawn(comes_and_goes, NULL);
    join(spawn(changes, NULL));
    uid_t real, effective, saved;
    SYS(getresuid(&real, &effective, &saved));
    ASSERT(real == NOBODY && effective == NOBODY && saved == NOBODY);
    all_threads_have("Uid", NOBODY);
    all_threads_have("Gid", NOBODY);
    stop = 1;
    join(others);
    return 0;
}
