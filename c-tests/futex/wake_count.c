// FUTEX_WAKE of n wakes n of those who wait, says how many, and leaves the others waiting.
#include "coop-test.h"

#define THREADS 10

static uint32_t word, other;
static _Atomic int woken;

static void *body(void *unused)
{
    (void)unused;
    ASSERT_EQ(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), 0);
    woken++;
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
    // Moving them to the other word and back counts them: all wait when all were moved.
    long moved = 0;
    while (moved < THREADS) {
        moved += SYS(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)THREADS, &other, 0));
        sleep_ms(1);
    }
    ASSERT_EQ(woken, 0);
    ASSERT_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0);
    ASSERT_EQ(futex(&other, FUTEX_WAKE_PRIVATE, 3, NULL, NULL, 0), 3);
    UNTIL(woken == 3);
    ASSERT_EQ(futex(&other, FUTEX_WAKE_PRIVATE, 5, NULL, NULL, 0), 5);
    UNTIL(woken == 8);
    ASSERT_EQ(futex(&other, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 2);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
