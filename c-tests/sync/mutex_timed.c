// pthread_mutex_timedlock and clocklock: ETIMEDOUT not before the deadline, at once for a past one, success when free in time.
#include "coop-test.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static sem_t timed_out;

static void *body(void *unused)
{
    (void)unused;
    struct timespec deadline = in_ms(CLOCK_REALTIME, 40);
    GIVES(pthread_mutex_timedlock(&lock, &deadline), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_REALTIME), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
    deadline = in_ms(CLOCK_MONOTONIC, 40);
    GIVES(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &deadline), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_MONOTONIC), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
    deadline.tv_sec -= 100;
    GIVES(pthread_mutex_clocklock(&lock, CLOCK_MONOTONIC, &deadline), ETIMEDOUT);
    deadline.tv_nsec = NS_PER_S;
    GIVES(pthread_mutex_timedlock(&lock, &deadline), EINVAL);
    SYS(sem_post(&timed_out));
    deadline = in_ms(CLOCK_REALTIME, 20000);
    OK(pthread_mutex_timedlock(&lock, &deadline));
    OK(pthread_mutex_unlock(&lock));
    return NULL;
}

int main(void)
{
    SYS(sem_init(&timed_out, 0, 0));
    OK(pthread_mutex_lock(&lock));
    pthread_t thread = spawn(body, NULL);
    SYS(sem_wait(&timed_out));
    let_others_block();
    OK(pthread_mutex_unlock(&lock));
    join(thread);
    return 0;
}
