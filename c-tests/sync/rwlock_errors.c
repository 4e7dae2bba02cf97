// A rwlock says EDEADLK to its writer who asks for it again, and EBUSY to those who try; it can be used after that.
#include "coop-test.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;

static void *other(void *unused)
{
    (void)unused;
    GIVES(pthread_rwlock_tryrdlock(&lock), EBUSY);
    GIVES(pthread_rwlock_trywrlock(&lock), EBUSY);
    struct timespec bad = {.tv_nsec = NS_PER_S};
    GIVES(pthread_rwlock_timedrdlock(&lock, &bad), EINVAL);
    GIVES(pthread_rwlock_timedwrlock(&lock, &bad), EINVAL);
    struct timespec past = {.tv_sec = 1};
    GIVES(pthread_rwlock_timedrdlock(&lock, &past), ETIMEDOUT);
    return NULL;
}

int main(void)
{
    for (int i = 0; i < 2; i++) {
        OK(pthread_rwlock_wrlock(&lock));
        GIVES(pthread_rwlock_wrlock(&lock), EDEADLK);
        GIVES(pthread_rwlock_rdlock(&lock), EDEADLK);
        join(spawn(other, NULL));
        OK(pthread_rwlock_unlock(&lock));
        OK(pthread_rwlock_rdlock(&lock));
        OK(pthread_rwlock_rdlock(&lock));
        GIVES(pthread_rwlock_trywrlock(&lock), EBUSY);
        OK(pthread_rwlock_unlock(&lock));
        OK(pthread_rwlock_unlock(&lock));
    }
    OK(pthread_rwlock_destroy(&lock));
    return 0;
}
