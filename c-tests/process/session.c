// setsid, setpgid and getpgid in children and from threads are the process's.
#include "coop-test.h"

static void *in_child(void *unused)
{
    (void)unused;
    ASSERT_EQ(SYS(setsid()), getpid());
    ASSERT_EQ(getsid(0), getpid());
    ASSERT_EQ(getpgrp(), getpid());
    FAILS(setsid(), EPERM);
    FAILS(setpgid(0, 0), EPERM);
    return NULL;
}

int main(void)
{
    spawn(pause_for_ever, NULL);
    pid_t child = SYS(fork());
    if (child == 0) {
        join(spawn(in_child, NULL));
        ASSERT_EQ(getsid(0), getpid());
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    child = SYS(fork());
    if (child == 0)
        for (;;) pause();
    SYS(setpgid(child, child));
    ASSERT_EQ(getpgid(child), child);
    SYS(kill(-child, SIGTERM));
    ASSERT_EQ(finish(child), 128 + SIGTERM);
    return 0;
}
