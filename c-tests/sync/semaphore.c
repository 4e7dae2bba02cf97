// Semaphores: wait waits for post, trywait is EAGAIN, timed waits end as ETIMEDOUT not early, values are counted.
#include "coop-test.h"

static sem_t ping, pong;

static void *body(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2000; i++) {
        SYS(sem_wait(&ping));
        SYS(sem_post(&pong));
    }
    return NULL;
}

int main(void)
{
    int value;
    SYS(sem_init(&ping, 0, 0));
    SYS(sem_init(&pong, 0, 0));
    pthread_t thread = spawn(body, NULL);
    for (int i = 0; i < 2000; i++) {
        SYS(sem_post(&ping));
        SYS(sem_wait(&pong));
    }
    join(thread);

    FAILS(sem_trywait(&ping), EAGAIN);
    struct timespec deadline = in_ms(CLOCK_REALTIME, 40);
    FAILS(sem_timedwait(&ping, &deadline), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_REALTIME), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
    deadline = in_ms(CLOCK_MONOTONIC, 40);
    FAILS(sem_clockwait(&ping, CLOCK_MONOTONIC, &deadline), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_MONOTONIC), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
    for (int i = 0; i < 3; i++) SYS(sem_post(&ping));
    SYS(sem_getvalue(&ping, &value));
    ASSERT_EQ(value, 3);
    SYS(sem_timedwait(&ping, &deadline));
    SYS(sem_trywait(&ping));
    SYS(sem_getvalue(&ping, &value));
    ASSERT_EQ(value, 1);
    SYS(sem_destroy(&ping));
    return 0;
}
