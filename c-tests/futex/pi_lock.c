// FUTEX_LOCK_PI and its kin: the word holds the owner's id, and a bit when somebody waits; EDEADLK, EPERM, EAGAIN, ESRCH, ETIMEDOUT.
#include "coop-test.h"

static uint32_t word;
static sem_t go;

static void *other(void *unused)
{
    (void)unused;
    FAILS(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EAGAIN);
    FAILS(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
    struct timespec until = in_ms(CLOCK_REALTIME, 20);
    FAILS(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, &until, NULL, 0), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_REALTIME), until.tv_sec * NS_PER_S + until.tv_nsec);
    SYS(sem_post(&go));
    SYS(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    ASSERT_EQ(word & FUTEX_TID_MASK, my_tid());
    SYS(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    return NULL;
}

static void *ends(void *unused)
{
    word = my_tid();
    return unused;
}

int main(void)
{
    SYS(sem_init(&go, 0, 0));
    SYS(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    ASSERT_EQ(word & FUTEX_TID_MASK, my_tid());
    FAILS(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
    pthread_t thread = spawn(other, NULL);
    SYS(sem_wait(&go));
    UNTIL(__atomic_load_n(&word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS);
    SYS(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    join(thread);
    FAILS(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
    SYS(futex(&word, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    SYS(futex(&word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    // The owner that the word names has ended.
    join(spawn(ends, NULL));
    FAILS(futex(&word, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), ESRCH);
    return 0;
}
