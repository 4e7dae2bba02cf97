// FUTEX_WAKE_OP changes the second word, wakes on the first, and on the second only if the old value compares so.
#include "coop-test.h"

static uint32_t first, second;
static _Atomic int woken[2];

static void *body(void *word)
{
    // The value may be any: only the wake-up ends the wait.
    uint32_t seen;
    do seen = *(volatile uint32_t *)word;
    while (futex(word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0) != 0);
    woken[word == &second] = 1;
    return NULL;
}

static long wake_op(long wake1, long wake2, uint32_t operation)
{
    return SYS(futex(&first, FUTEX_WAKE_OP_PRIVATE, wake1, (void *)wake2, &second, operation));
}

int main(void)
{
    second = 10;
    ASSERT_EQ(wake_op(1, 1, FUTEX_OP(FUTEX_OP_ADD, 5, FUTEX_OP_CMP_EQ, 10)), 0);
    ASSERT_EQ(second, 15);
    wake_op(1, 1, FUTEX_OP(FUTEX_OP_OR, 0x10, FUTEX_OP_CMP_EQ, 10));
    ASSERT_EQ(second, 0x1f);
    wake_op(1, 1, FUTEX_OP(FUTEX_OP_ANDN, 0x0f, FUTEX_OP_CMP_EQ, 10));
    ASSERT_EQ(second, 0x10);
    wake_op(1, 1, FUTEX_OP(FUTEX_OP_XOR, 0x11, FUTEX_OP_CMP_EQ, 10));
    ASSERT_EQ(second, 1);
    wake_op(1, 1, FUTEX_OP((FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_EQ, 10));
    ASSERT_EQ(second, 0x11);
    wake_op(1, 1, FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 10));
    ASSERT_EQ(second, 7);

    pthread_t one = spawn(body, &first), two = spawn(body, &second);
    // 7 is not below 7: only the first word's waiter goes on.
    UNTIL(wake_op(1, 1, FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_LT, 7)) == 1);
    join(one);
    ASSERT_EQ(woken[1], 0);
    // 7 is at most 7: the second word's waiter too.
    UNTIL(wake_op(1, 1, FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_LE, 7)) == 1);
    join(two);
    FAILS(futex(&first, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &second, 0x0f << 24), ENOSYS);
    return 0;
}
