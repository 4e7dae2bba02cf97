// pthread_cond_clockwait, pthread_mutex_clocklock, pthread_rwlock_clock*lock and sem_clockwait time out on the clock they name,
// not early, and refuse clocks that are none.
#include "coop-test.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t semaphore;

#define TIMES_OUT(clock, call)                                                    \
    do {                                                                          \
        struct timespec until = in_ms(clock, 15);                                 \
        GIVES(call, ETIMEDOUT);                                                   \
        ASSERT_GE(now_ns(clock), until.tv_sec * NS_PER_S + until.tv_nsec);        \
    } while (0)

static void *body(void *unused)
{
    (void)unused;
    static pthread_mutex_t own = PTHREAD_MUTEX_INITIALIZER;
    const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME};
    OK(pthread_mutex_lock(&own));
    for (int i = 0; i < 2; i++) {
        TIMES_OUT(clocks[i], pthread_cond_clockwait(&cond, &own, clocks[i], &until));
        TIMES_OUT(clocks[i], pthread_mutex_clocklock(&mutex, clocks[i], &until));
        TIMES_OUT(clocks[i], pthread_rwlock_clockrdlock(&lock, clocks[i], &until));
        TIMES_OUT(clocks[i], pthread_rwlock_clockwrlock(&lock, clocks[i], &until));
        struct timespec until = in_ms(clocks[i], 15);
        FAILS(sem_clockwait(&semaphore, clocks[i], &until), ETIMEDOUT);
    }
    struct timespec until = in_ms(CLOCK_MONOTONIC, 15);
    GIVES(pthread_cond_clockwait(&cond, &own, CLOCK_PROCESS_CPUTIME_ID, &until), EINVAL);
    GIVES(pthread_mutex_clocklock(&mutex, CLOCK_PROCESS_CPUTIME_ID, &until), EINVAL);
    FAILS(sem_clockwait(&semaphore, CLOCK_PROCESS_CPUTIME_ID, &until), EINVAL);
    OK(pthread_mutex_unlock(&own));
    return NULL;
}

int main(void)
{
    SYS(sem_init(&semaphore, 0, 0));
    OK(pthread_mutex_lock(&mutex));
    OK(pthread_rwlock_wrlock(&lock));
    join(spawn(body, NULL));
    OK(pthread_rwlock_unlock(&lock));
    OK(pthread_mutex_unlock(&mutex));
    return 0;
}
