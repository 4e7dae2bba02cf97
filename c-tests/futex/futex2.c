// The futex_wait, futex_wake and futex_requeue system calls (Linux 6.7): bits, counts, time-out, and waiters of futex(2) among them.
#include "waitv.h"

enum { WAKE = 454, WAIT = 455, REQUEUE = 456, FLAGS = WAITV_U32 | WAITV_PRIVATE };

static uint32_t word, other;

static void *waiter(void *bits)
{
    SYS(syscall(WAIT, &word, 0ul, (unsigned long)(uintptr_t)bits, FLAGS, NULL, CLOCK_MONOTONIC));
    return NULL;
}

static void *old_waiter(void *unused)
{
    (void)unused;
    SYS(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
    return NULL;
}

static long wake(uint32_t *where, unsigned long bits, int count)
{
    return SYS(syscall(WAKE, where, bits, count, FLAGS));
}

static void *body(void *unused)
{
    (void)unused;
    FAILS(syscall(WAIT, &word, 1ul, 1ul, FLAGS, NULL, CLOCK_MONOTONIC), EAGAIN);
    FAILS(syscall(WAIT, &word, 0ul, 0ul, FLAGS, NULL, CLOCK_MONOTONIC), EINVAL);
    FAILS(syscall(WAKE, &word, 0ul, 1, FLAGS), EINVAL);
    struct timespec until = in_ms(CLOCK_MONOTONIC, 15);
    FAILS(syscall(WAIT, &word, 0ul, 1ul, FLAGS, &until, CLOCK_MONOTONIC), ETIMEDOUT);

    pthread_t first = spawn(waiter, (void *)1), second = spawn(waiter, (void *)2);
    while (wake(&word, 2, 1) == 0) sleep_ms(1);
    join(second);
    ASSERT_EQ(wake(&word, 2, 1), 0);
    ASSERT_EQ(wake(&word, 1, 0), 0);
    while (futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0) sleep_ms(1);
    join(first);

    first = spawn(old_waiter, NULL);
    second = spawn(waiter, (void *)1);
    struct waitv_word words[2] = {waitv_word(&word, 0, WAITV_PRIVATE),
                                  waitv_word(&other, 0, WAITV_PRIVATE)};
    long moved = 0;
    while (moved < 2) {
        moved += SYS(syscall(REQUEUE, words, 0, 0, 10));
        sleep_ms(1);
    }
    ASSERT_EQ(wake(&word, ~0u, 10), 0);
    ASSERT_EQ(wake(&other, ~0u, 10), 2);
    join(first);
    join(second);
    words[0].value = 5;
    FAILS(syscall(REQUEUE, words, 0, 0, 10), EAGAIN);
    return NULL;
}

int main(void)
{
    if (syscall(WAKE, &word, 1ul, 1, FLAGS) == -1 && errno == ENOSYS) SKIP("no futex_wake (Linux 6.7)");
    join(spawn(body, NULL));
    return 0;
}
