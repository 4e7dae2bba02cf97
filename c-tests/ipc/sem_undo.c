// SEM_UNDO is the process's: what its threads took comes back when it ends, and not when a thread does.
#include "semaphores.h"

static void *taker(void *unused)
{
    SYS(change(0, -1, SEM_UNDO));
    return unused;
}

static void *blocked_taker(void *unused)
{
    SYS(change(1, -1, SEM_UNDO));
    return unused;
}

int main(void)
{
    new_set(2);
    SYS(change(0, 3, 0));
    pid_t child = SYS(fork());
    if (child == 0) {
        pthread_t blocked = spawn(blocked_taker, NULL);
        join(spawn(taker, NULL));
        join(spawn(taker, NULL));
        ASSERT_EQ(semctl(set, 0, GETVAL), 1);
        UNTIL(semctl(set, 1, GETNCNT) == 1);
        SYS(change(1, 1, 0));
        join(blocked);
        ASSERT_EQ(semctl(set, 1, GETVAL), 0);
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(semctl(set, 0, GETVAL), 3);
    ASSERT_EQ(semctl(set, 1, GETVAL), 1);
    return 0;
}
