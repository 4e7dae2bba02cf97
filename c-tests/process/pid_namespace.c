// A process in a PID namespace of its own, whose /proc is still the outer one's and calls its threads otherwise, has threads, waits, and changes its user.
#include "coop-test.h"
#include <sched.h>

static void *changes_user(void *unused)
{
    SYS(setresuid(65534, 65534, 65534));
    return unused;
}

static void *looks(void *unused)
{
    sleep_ms(1);
    ASSERT_EQ(geteuid(), 0);
    return unused;
}

static int inside(void)
{
    ASSERT_EQ(getpid(), 1);
    for (int i = 0; i < 20; i++) join(spawn(looks, NULL));
    pid_t child = SYS(fork());
    if (child == 0) _exit(getpid() == 2 ? 7 : 1);
    // (A thread may have had the number.)
    int status = finish(child);
    ASSERT(status == 7 || status == 1);
    join(spawn(changes_user, NULL));
    ASSERT_EQ(getuid(), 65534);
    return 0;
}

static void *waits(void *unused)
{
    return pause_for_ever(unused);
}

static int outside(int has_threads)
{
    if (has_threads) spawn(waits, NULL);
    if (unshare(CLONE_NEWPID) == -1) return 77;
    pid_t child = SYS(fork());
    if (child == 0) _exit(inside());
    return finish(child);
}

int main(void)
{
    for (int has_threads = 0; has_threads < 2; has_threads++) {
        pid_t pid = SYS(fork());
        if (pid == 0) _exit(outside(has_threads));
        int status = finish(pid);
        if (status == 77) SKIP("no PID namespace is to be had");
        ASSERT_EQ(status, 0);
    }
    return 0;
}
