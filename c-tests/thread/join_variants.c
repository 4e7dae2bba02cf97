// pthread_tryjoin_np, pthread_timedjoin_np and pthread_clockjoin_np: EBUSY, ETIMEDOUT not early, then the value.
#include "coop-test.h"

static sem_t go;

static void *waiter(void *argument)
{
    SYS(sem_wait(&go));
    return argument;
}

int main(void)
{
    SYS(sem_init(&go, 0, 0));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(waiter, &threads[i]);
    void *value = NULL;

    GIVES(pthread_tryjoin_np(threads[0], &value), EBUSY);
    struct timespec deadline = in_ms(CLOCK_REALTIME, 50);
    GIVES(pthread_timedjoin_np(threads[1], &value, &deadline), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_REALTIME), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
    deadline = in_ms(CLOCK_MONOTONIC, 50);
    GIVES(pthread_clockjoin_np(threads[2], &value, CLOCK_MONOTONIC, &deadline), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_MONOTONIC), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);

    for (int i = 0; i < 3; i++) SYS(sem_post(&go));
    int error;
    while ((error = pthread_tryjoin_np(threads[0], &value)) == EBUSY) sleep_ms(1);
    OK(error);
    ASSERT_PTR(value, &threads[0]);
    deadline = in_ms(CLOCK_REALTIME, 20000);
    OK(pthread_timedjoin_np(threads[1], &value, &deadline));
    ASSERT_PTR(value, &threads[1]);
    deadline = in_ms(CLOCK_MONOTONIC, 20000);
    OK(pthread_clockjoin_np(threads[2], &value, CLOCK_MONOTONIC, &deadline));
    ASSERT_PTR(value, &threads[2]);
    return 0;
}
