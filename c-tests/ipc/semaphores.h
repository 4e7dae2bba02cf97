// A System V semaphore set of this process alone, removed at its end.
#include "coop-test.h"
#include <sys/sem.h>

static int set;

static void remove_set(void)
{
    semctl(set, 0, IPC_RMID);
}

static inline void new_set(int count)
{
    set = semget(IPC_PRIVATE, count, 0600);
    if (set == -1 && (errno == ENOSYS || errno == ENOSPC)) SKIP("no semaphores to be had");
    SYS(set);
    atexit(remove_set);
}

static inline int change(int number, int by, int flags)
{
    struct sembuf operation = {.sem_num = number, .sem_op = by, .sem_flg = flags};
    return semop(set, &operation, 1);
}
