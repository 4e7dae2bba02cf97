// What futex refuses: bad alignment, empty bitsets, bad times, bad addresses, negative counts, unknown operations.
#include "coop-test.h"

static uint32_t words[2];

static void *body(void *unused)
{
    (void)unused;
    void *odd = (char *)words + 1, *word = words, *two = &words[1], *null = NULL;
    struct timespec negative = {.tv_sec = -1}, too_much = {.tv_nsec = NS_PER_S};

    FAILS(futex(odd, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EINVAL);
    FAILS(futex(odd, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), EINVAL);
    FAILS(futex(word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, 0), EINVAL);
    FAILS(futex(word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 0), EINVAL);
    FAILS(futex(word, FUTEX_WAIT_PRIVATE, 0, &negative, NULL, 0), EINVAL);
    FAILS(futex(word, FUTEX_WAIT_PRIVATE, 0, &too_much, NULL, 0), EINVAL);
    FAILS(futex(word, FUTEX_WAIT_BITSET_PRIVATE, 0, &too_much, NULL, 1), EINVAL);
    FAILS(futex(null, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0), EFAULT);
    FAILS(futex(word, FUTEX_WAIT_PRIVATE, 0, (void *)8, NULL, 0), EFAULT);
    FAILS(futex(word, FUTEX_CMP_REQUEUE_PRIVATE, -1, (void *)1, two, 0), EINVAL);
    FAILS(futex(word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)-1, two, 0), EINVAL);
    FAILS(futex(word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, odd, 0), EINVAL);
    FAILS(futex(word, FUTEX_WAKE_PRIVATE | FUTEX_CLOCK_REALTIME, 1, NULL, NULL, 0), ENOSYS);
    FAILS(futex(word, 99, 1, NULL, NULL, 0), ENOSYS);
    // The library must be as sound after them.
    ASSERT_EQ(futex(word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
