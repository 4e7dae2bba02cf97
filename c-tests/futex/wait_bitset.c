// WAKE_BITSET wakes only those whose bits meet its own; plain WAKE wakes any.
#include "coop-test.h"

static uint32_t word;
static _Atomic int woken[3];

static void *body(void *argument)
{
    int i = (int)(intptr_t)argument;
    ASSERT_EQ(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 1u << i), 0);
    woken[i] = 1;
    return NULL;
}

int main(void)
{
    pthread_t threads[3];
    for (intptr_t i = 0; i < 3; i++) threads[i] = spawn(body, (void *)i);
    ASSERT_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 1u << 7), 0);
    UNTIL(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 1u << 1 | 1u << 9) == 1);
    join(threads[1]);
    ASSERT_EQ(woken[0] + woken[2], 0);
    ASSERT_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 1u << 1), 0);
    UNTIL(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 1u << 2) == 1);
    join(threads[2]);
    ASSERT_EQ(woken[0], 0);
    UNTIL(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 1);
    join(threads[0]);
    return 0;
}
