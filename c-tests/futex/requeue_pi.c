// FUTEX_WAIT_REQUEUE_PI waits on a word and comes back with the lock of another, one waiter after the other.
#include "coop-test.h"

enum { WAITERS = 4 };

static uint32_t cond, lock;
static int inside, count;

static void lock_it(void)
{
    uint32_t none = 0;
    if (!__atomic_compare_exchange_n(&lock, &none, my_tid(), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        SYS(futex(&lock, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

static void unlock_it(void)
{
    uint32_t mine = my_tid();
    if (!__atomic_compare_exchange_n(&lock, &mine, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        SYS(futex(&lock, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
}

static void *waiter(void *unused)
{
    (void)unused;
    SYS(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &lock, 0));
    ASSERT_EQ(lock & FUTEX_TID_MASK, my_tid());
    ASSERT_EQ(inside++, 0);
    sched_yield();
    count++;
    inside--;
    unlock_it();
    return NULL;
}

static void *body(void *unused)
{
    (void)unused;
    // Wakes at most one and moves the rest: those are two numbers, the second where the time-out would be.
    FAILS(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 2, (void *)10, &lock, 0), EINVAL);
    FAILS(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10, &lock, 7), EAGAIN);
    FAILS(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 7, NULL, &lock, 0), EAGAIN);
    FAILS(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, NULL, &cond, 0), EINVAL);
    struct timespec until = in_ms(CLOCK_MONOTONIC, 20);
    FAILS(futex(&cond, FUTEX_WAIT_REQUEUE_PI_PRIVATE, 0, &until, &lock, 0), ETIMEDOUT);
    for (int held = 0; held < 2; held++) {
        pthread_t threads[WAITERS];
        count = 0;
        for (int i = 0; i < WAITERS; i++) threads[i] = spawn(waiter, NULL);
        let_others_block();
        if (held) lock_it();
        long told = 0;
        while (told < WAITERS) {
            told += SYS(futex(&cond, FUTEX_CMP_REQUEUE_PI_PRIVATE, 1, (void *)10, &lock, 0));
            if (told < WAITERS) sleep_ms(1);
        }
        if (held) {
            ASSERT_EQ(count, 0);
            ASSERT_EQ(lock & FUTEX_WAITERS, FUTEX_WAITERS);
            unlock_it();
        }
        for (int i = 0; i < WAITERS; i++) join(threads[i]);
        ASSERT_EQ(count, WAITERS);
        ASSERT_EQ(lock & FUTEX_TID_MASK, 0);
        lock = 0;
    }
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    return 0;
}
