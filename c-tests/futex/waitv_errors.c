// What futex_waitv refuses, a word that has changed, and its time-out.
#include "waitv.h"

static void *body(void *unused)
{
    (void)unused;
    uint32_t one = 1, two = 2;
    struct waitv_word list[2] = {waitv_word(&one, 1, WAITV_PRIVATE), waitv_word(&two, 3, WAITV_PRIVATE)};
    FAILS(futex_waitv(list, 2, NULL), EAGAIN);
    FAILS(futex_waitv(list, 0, NULL), EINVAL);
    FAILS(futex_waitv(list, 129, NULL), EINVAL);
    FAILS(futex_waitv(NULL, 1, NULL), EINVAL);
    FAILS(syscall(449, list, 1, 1, NULL, CLOCK_MONOTONIC), EINVAL);
    FAILS(futex_waitv((struct waitv_word *)8, 1, NULL), EFAULT);
    list[1] = waitv_word((char *)&two + 1, 2, WAITV_PRIVATE);
    FAILS(futex_waitv(list, 2, NULL), EINVAL);
    list[1] = waitv_word(&two, 2, WAITV_PRIVATE);
    list[1].reserved = 1;
    FAILS(futex_waitv(list, 2, NULL), EINVAL);
    list[1] = waitv_word(&two, 2, WAITV_PRIVATE | 0x40);
    FAILS(futex_waitv(list, 2, NULL), EINVAL);
    list[1] = waitv_word(&two, 2, WAITV_PRIVATE);
    list[1].value = 1ull << 32;
    FAILS(futex_waitv(list, 2, NULL), EINVAL);

    list[1] = waitv_word(&two, 2, WAITV_PRIVATE);
    struct timespec until = in_ms(CLOCK_MONOTONIC, 20);
    FAILS(futex_waitv(list, 2, &until), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_MONOTONIC), until.tv_sec * NS_PER_S + until.tv_nsec);
    FAILS(syscall(449, list, 2, 0, &until, CLOCK_PROCESS_CPUTIME_ID), EINVAL);
    struct timespec bad = {.tv_nsec = -1};
    FAILS(futex_waitv(list, 2, &bad), EINVAL);
    return NULL;
}

int main(void)
{
    waitv_needed();
    join(spawn(body, NULL));
    return 0;
}
