// FUTEX_CMP_REQUEUE_PI in shared memory: those who wait come back one by one with the lock, whose word holds their id.
#include "coop-test.h"

enum { THREADS = 4 };
struct words {
    uint32_t condition, lock;
};
static struct words *words;
static _Atomic int back, waiting;

static void *waiter(void *unused)
{
    waiting++;
    SYS(futex(&words->condition, FUTEX_WAIT_REQUEUE_PI, 0, NULL, &words->lock, 0));
    ASSERT_EQ(words->lock & FUTEX_TID_MASK, my_tid());
    back++;
    SYS(futex(&words->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    return unused;
}

static void *timed(void *unused)
{
    struct timespec until = in_ms(CLOCK_MONOTONIC, 20);
    FAILS(futex(&words->condition, FUTEX_WAIT_REQUEUE_PI, 0, &until, &words->lock, 0), ETIMEDOUT);
    FAILS(futex(&words->condition, FUTEX_WAIT_REQUEUE_PI, 1, NULL, &words->lock, 0), EAGAIN);
    return unused;
}

int main(void)
{
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(words != MAP_FAILED);
    join(spawn(timed, NULL));
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(waiter, NULL);
    UNTIL(waiting == THREADS);
    SYS(futex(&words->lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    FAILS(futex(&words->condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)100, &words->lock, 1), EAGAIN);
    FAILS(futex(&words->condition, FUTEX_CMP_REQUEUE_PI, 2, (void *)100, &words->lock, 0), EINVAL);
    long moved = 0;
    while (moved < THREADS) {
        moved += SYS(futex(&words->condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)100, &words->lock, 0));
        sleep_ms(1);
    }
    ASSERT_EQ(back, 0);
    SYS(futex(&words->lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(back, THREADS);
    return 0;
}
