// Priority-inheriting mutexes lock, exclude, hand over and time out as others; a second lock by the owner is EDEADLK where it is checked.
#include "coop-test.h"

enum { THREADS = 8, ROUNDS = 100 };

static pthread_mutex_t mutex, checking;
static int inside, counter;

static void *worker(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        OK(pthread_mutex_lock(&mutex));
        ASSERT_EQ(inside++, 0);
        if (i % 10 == 0) sched_yield();
        counter++;
        inside--;
        OK(pthread_mutex_unlock(&mutex));
    }
    return NULL;
}

static void *stranger(void *unused)
{
    (void)unused;
    GIVES(pthread_mutex_trylock(&checking), EBUSY);
    GIVES(pthread_mutex_unlock(&checking), EPERM);
    struct timespec soon = in_ms(CLOCK_REALTIME, 20);
    GIVES(pthread_mutex_timedlock(&checking, &soon), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_REALTIME), soon.tv_sec * NS_PER_S + soon.tv_nsec);
    return NULL;
}

static void init(pthread_mutex_t *which, int type)
{
    pthread_mutexattr_t attributes;
    int protocol;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_settype(&attributes, type));
    OK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    OK(pthread_mutexattr_getprotocol(&attributes, &protocol));
    ASSERT_EQ(protocol, PTHREAD_PRIO_INHERIT);
    OK(pthread_mutex_init(which, &attributes));
}

int main(void)
{
    init(&mutex, PTHREAD_MUTEX_NORMAL);
    init(&checking, PTHREAD_MUTEX_ERRORCHECK);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(worker, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(counter, THREADS * ROUNDS);
    OK(pthread_mutex_lock(&checking));
    GIVES(pthread_mutex_lock(&checking), EDEADLK);
    join(spawn(stranger, NULL));
    OK(pthread_mutex_unlock(&checking));
    GIVES(pthread_mutex_unlock(&checking), EPERM);
    return 0;
}
