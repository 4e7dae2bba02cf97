// Timed waits on a condition variable, with either clock: ETIMEDOUT not early and with the mutex held; a signal in time wins.
#include "coop-test.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t realtime = PTHREAD_COND_INITIALIZER, monotonic;
static int flag;

static void times_out(clockid_t clock, pthread_cond_t *cond)
{
    struct timespec deadline = in_ms(clock, 50);
    int error;
    do error = pthread_cond_timedwait(cond, &lock, &deadline);
    while (error == 0);
    GIVES(error, ETIMEDOUT);
    ASSERT_GE(now_ns(clock), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
    deadline.tv_sec -= 10;
    GIVES(pthread_cond_timedwait(cond, &lock, &deadline), ETIMEDOUT);
}

static void *setter(void *unused)
{
    (void)unused;
    // The mutex is free only while main waits.
    OK(pthread_mutex_lock(&lock));
    flag++;
    OK(pthread_cond_signal(&realtime));
    OK(pthread_cond_signal(&monotonic));
    OK(pthread_mutex_unlock(&lock));
    return NULL;
}

int main(void)
{
    pthread_condattr_t attributes;
    OK(pthread_condattr_init(&attributes));
    OK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC));
    OK(pthread_cond_init(&monotonic, &attributes));
    OK(pthread_mutex_lock(&lock));
    // A thread makes the library awake before the first wait.
    pthread_t first = spawn(setter, NULL);
    struct timespec deadline = in_ms(CLOCK_REALTIME, 20000);
    while (flag == 0) OK(pthread_cond_timedwait(&realtime, &lock, &deadline));
    join(first);

    times_out(CLOCK_REALTIME, &realtime);
    times_out(CLOCK_MONOTONIC, &monotonic);

    pthread_t second = spawn(setter, NULL);
    deadline = in_ms(CLOCK_MONOTONIC, 20000);
    while (flag == 1) OK(pthread_cond_timedwait(&monotonic, &lock, &deadline));
    join(second);
    pthread_t third = spawn(setter, NULL);
    while (flag == 2) OK(pthread_cond_clockwait(&realtime, &lock, CLOCK_MONOTONIC, &deadline));
    join(third);
    OK(pthread_mutex_unlock(&lock));
    return 0;
}
