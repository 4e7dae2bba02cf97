// setresuid, setresgid and setgroups made as plain system calls are their thread's: it loses root's rights, and nobody else does.
#include "own.h"
#include <grp.h>

static char path[] = "/tmp/coop-own-XXXXXX";
static pthread_barrier_t barrier;

static void *drops(void *argument)
{
    uid_t me = (uid_t)(intptr_t)argument;
    gid_t groups[10], mine = me;
    SYS(syscall(SYS_setgroups, 1, &mine));
    SYS(syscall(SYS_setresgid, me, me, me));
    SYS(syscall(SYS_setresuid, me, me, 0));
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 20; i++) {
        ASSERT_EQ(getuid(), me);
        ASSERT_EQ(getegid(), me);
        ASSERT_EQ(getgroups(10, groups), 1);
        ASSERT_EQ(groups[0], me);
        FAILS(open(path, O_RDONLY), EACCES);
        FAILS(open(path, O_RDWR | O_SYNC), EACCES);
        FAILS(truncate(path, 0), EACCES);
        sched_yield();
    }
    pthread_barrier_wait(&barrier);
    SYS(syscall(SYS_setresuid, me, 0, 0));
    SYS(close(SYS(open(path, O_RDONLY))));
    return NULL;
}

static void *keeps(void *unused)
{
    (void)unused;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 50; i++) {
        ASSERT_EQ(geteuid(), 0);
        SYS(close(SYS(open(path, O_RDWR | O_SYNC))));
        SYS(truncate(path, i));
        sched_yield();
    }
    pthread_barrier_wait(&barrier);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    need_root();
    SYS(close(SYS(mkstemp(path))));
    pthread_barrier_init(&barrier, NULL, 4);
    for (int i = 0; i < 4; i++)
        threads[i] = i < 2 ? spawn(drops, (void *)(intptr_t)(1000 + i)) : spawn(keeps, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    ASSERT_EQ(getuid(), 0);
    SYS(unlink(path));
    return 0;
}
