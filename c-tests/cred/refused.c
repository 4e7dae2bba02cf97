// A change of credentials that the kernel refuses changes nothing, in no thread, and may be tried again from any.
#include "cred.h"

static void *tries(void *unused)
{
    (void)unused;
    FAILS(setuid(0), EPERM);
    FAILS(setresgid(0, 0, 0), EPERM);
    FAILS(setgroups(0, NULL), EPERM);
    FAILS(seteuid(1), EPERM);
    ASSERT_EQ(getuid(), NOBODY);
    ASSERT_EQ(getegid(), NOBODY);
    return NULL;
}

int main(void)
{
    need_root();
    pthread_t waiting = spawn(pause_for_ever, NULL);
    SYS(setresgid(NOBODY, NOBODY, NOBODY));
    SYS(setresuid(NOBODY, NOBODY, NOBODY));
    tries(NULL);
    for (int i = 0; i < 5; i++) join(spawn(tries, NULL));
    all_threads_have("Uid", NOBODY);
    SYS(setuid(NOBODY));
    OK(pthread_cancel(waiting));
    join(waiting);
    return 0;
}
