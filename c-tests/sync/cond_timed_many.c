// 500 threads in timed waits: half are signalled in time, half time out, none does both or neither.
#include "coop-test.h"

#define THREADS 500

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t conds[THREADS];
static int signalled[THREADS], timed_out;

static void *body(void *argument)
{
    size_t i = (size_t)argument;
    struct timespec deadline = in_ms(CLOCK_REALTIME, i % 2 ? 50 : 25000);
    OK(pthread_mutex_lock(&lock));
    int error = 0;
    while (!signalled[i] && error == 0) error = pthread_cond_timedwait(&conds[i], &lock, &deadline);
    if (error) {
        GIVES(error, ETIMEDOUT);
        ASSERT_EQ(i % 2, 1);
        timed_out++;
    }
    OK(pthread_mutex_unlock(&lock));
    return NULL;
}

int main(void)
{
    static pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) OK(pthread_cond_init(&conds[i], NULL));
    for (size_t i = 0; i < THREADS; i++) threads[i] = spawn_small(body, (void *)i);
    for (int i = 0; i < THREADS; i += 2) {
        OK(pthread_mutex_lock(&lock));
        signalled[i] = 1;
        OK(pthread_cond_signal(&conds[i]));
        OK(pthread_mutex_unlock(&lock));
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(timed_out, THREADS / 2);
    return 0;
}
