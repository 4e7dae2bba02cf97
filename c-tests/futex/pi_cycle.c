// FUTEX_LOCK_PI fails with EDEADLK for the thread that would close a cycle of two or three locks, and only for that one.
#include "coop-test.h"

enum { MOST = 3 };
static uint32_t words[MOST];
static sem_t first[MOST], last;
static int members;

static void *member(void *argument)
{
    int me = (int)(intptr_t)argument;
    SYS(futex(&words[me], FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SYS(sem_post(&first[me]));
    if (me == members - 1) SYS(sem_wait(&last));
    uint32_t *next = &words[(me + 1) % members];
    if (me == members - 1)
        FAILS(futex(next, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
    else
        SYS(futex(next, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    if (me != members - 1) SYS(futex(next, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SYS(futex(&words[me], FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    return NULL;
}

static void *only_tries(void *unused)
{
    struct timespec soon = in_ms(CLOCK_REALTIME, 5);
    FAILS(futex(&words[0], FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
    FAILS(futex(&words[0], FUTEX_LOCK_PI_PRIVATE, 0, &soon, NULL, 0), ETIMEDOUT);
    return unused;
}

int main(void)
{
    for (members = 2; members <= MOST; members++) {
        pthread_t threads[MOST];
        SYS(sem_init(&last, 0, 0));
        // All but the last one wait for the next one's lock.
        for (int i = members - 1; i >= 0; i--) {
            SYS(sem_init(&first[i], 0, 0));
            threads[i] = spawn(member, (void *)(intptr_t)i);
            SYS(sem_wait(&first[i]));
        }
        for (int i = 1; i < members; i++)
            UNTIL(__atomic_load_n(&words[i], __ATOMIC_SEQ_CST) & FUTEX_WAITERS);
        join(spawn(only_tries, NULL));
        sleep_ms(10);
        SYS(sem_post(&last));
        for (int i = 0; i < members; i++) join(threads[i]);
        for (int i = 0; i < members; i++) ASSERT_EQ(words[i] & FUTEX_TID_MASK, 0);
    }
    return 0;
}
