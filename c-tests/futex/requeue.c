// FUTEX_REQUEUE wakes some and moves the others to a second word, where only that word's wake-ups reach them.
#include "coop-test.h"

#define THREADS 6

static uint32_t from, to;
static _Atomic int woken;

static void *body(void *unused)
{
    (void)unused;
    ASSERT_EQ(futex(&from, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), 0);
    woken++;
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
    let_others_block();
    // Wakes two at most in all, moves whoever else is there until nobody is left on the first word.
    long handled = 0;
    while (handled < THREADS) {
        long wake = woken < 2 ? 2 - woken : 0;
        handled += SYS(futex(&from, FUTEX_REQUEUE_PRIVATE, wake, (void *)THREADS, &to, 0));
        long expected = handled < 2 ? handled : 2;
        UNTIL(woken >= expected);
        sleep_ms(1);
    }
    ASSERT_EQ(woken, 2);
    ASSERT_EQ(futex(&from, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0);
    ASSERT_EQ(futex(&to, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
    ASSERT_EQ(futex(&to, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), THREADS - 3);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
