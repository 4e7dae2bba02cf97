// System V semaphores: two threads wait for each other; several operations happen together or not at all.
#include "semaphores.h"

enum { ROUNDS = 50 };

static void *other(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        SYS(change(0, -1, 0));
        SYS(change(1, 1, 0));
    }
    return unused;
}

static void *both(void *unused)
{
    struct sembuf operations[] = {{0, -1, 0}, {1, -2, 0}};
    SYS(semop(set, operations, 2));
    return unused;
}

int main(void)
{
    new_set(2);
    pthread_t thread = spawn(other, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        SYS(change(0, 1, 0));
        SYS(change(1, -1, 0));
    }
    join(thread);

    thread = spawn(both, NULL);
    SYS(change(0, 1, 0));
    SYS(change(1, 1, 0));
    let_others_block();
    ASSERT_EQ(semctl(set, 0, GETVAL), 1);
    ASSERT_EQ(semctl(set, 1, GETVAL), 1);
    UNTIL(semctl(set, 1, GETNCNT) == 1);
    SYS(change(1, 1, 0));
    join(thread);
    ASSERT_EQ(semctl(set, 0, GETVAL) + semctl(set, 1, GETVAL), 0);

    // Waiting for zero, and what may not wait.
    SYS(change(0, 0, 0));
    FAILS(change(0, -1, IPC_NOWAIT), EAGAIN);
    FAILS(change(9, -1, 0), EFBIG);
    FAILS(semop(set, NULL, 0), EINVAL);
    FAILS(semop(-1, &(struct sembuf){0, 1, 0}, 1), EINVAL);
    return 0;
}
