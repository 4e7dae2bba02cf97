// FUTEX_CMP_REQUEUE does nothing but EAGAIN when the value differs; a moved waiter's time-out still ends its wait.
#include "coop-test.h"

static uint32_t from, to;
static sem_t timed_out;

static void *body(void *unused)
{
    (void)unused;
    struct timespec timeout = {.tv_nsec = 300 * NS_PER_MS};
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(futex(&from, FUTEX_WAIT_PRIVATE, 0, &timeout, NULL, 0), ETIMEDOUT);
    ASSERT_GE(ms_since(start), 300);
    SYS(sem_post(&timed_out));
    return NULL;
}

int main(void)
{
    SYS(sem_init(&timed_out, 0, 0));
    FAILS(futex(&from, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1, &to, 9), EAGAIN);
    pthread_t thread = spawn(body, NULL);
    FAILS(futex(&from, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1, &to, 1), EAGAIN);
    UNTIL(SYS(futex(&from, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)1, &to, 0)) == 1);
    ASSERT_EQ(futex(&from, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
    SYS(sem_wait(&timed_out));
    ASSERT_EQ(futex(&to, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
    join(thread);
    return 0;
}
