// Removing a set ends the waits for it with EIDRM.
#include "semaphores.h"

static void *waiter(void *by)
{
    FAILS(change(0, *(int *)by, 0), EIDRM);
    return NULL;
}

int main(void)
{
    new_set(1);
    SYS(change(0, 1, 0));
    int zero = 0, down = -2;
    pthread_t first = spawn(waiter, &zero), second = spawn(waiter, &down);
    UNTIL(semctl(set, 0, GETZCNT) == 1 && semctl(set, 0, GETNCNT) == 1);
    SYS(semctl(set, 0, IPC_RMID));
    join(first);
    join(second);
    FAILS(change(0, 1, 0), EINVAL);
    return 0;
}
