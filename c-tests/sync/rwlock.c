// Readers share a rwlock, a writer has it alone; try and timed variants; all who wait get their turn.
#include "coop-test.h"

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t together;
static _Atomic int readers, writers, writes;

static void *read_together(void *unused)
{
    (void)unused;
    OK(pthread_rwlock_rdlock(&lock));
    // Passes only when all readers are inside at once.
    pthread_barrier_wait(&together);
    GIVES(pthread_rwlock_trywrlock(&lock), EBUSY);
    OK(pthread_rwlock_unlock(&lock));
    return NULL;
}

static void *mixed(void *argument)
{
    for (int i = 0; i < 50; i++) {
        if ((intptr_t)argument % 3 == 0) {
            OK(pthread_rwlock_wrlock(&lock));
            ASSERT_EQ(writers++, 0);
            ASSERT_EQ(readers, 0);
            sched_yield();
            writes++;
            writers--;
        } else {
            OK(pthread_rwlock_rdlock(&lock));
            readers++;
            ASSERT_EQ(writers, 0);
            sched_yield();
            readers--;
        }
        OK(pthread_rwlock_unlock(&lock));
    }
    return NULL;
}

static void *times_out(void *unused)
{
    (void)unused;
    struct timespec deadline = in_ms(CLOCK_REALTIME, 30);
    GIVES(pthread_rwlock_timedrdlock(&lock, &deadline), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_REALTIME), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
    deadline = in_ms(CLOCK_REALTIME, 30);
    GIVES(pthread_rwlock_timedwrlock(&lock, &deadline), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_REALTIME), deadline.tv_sec * NS_PER_S + deadline.tv_nsec);
    GIVES(pthread_rwlock_tryrdlock(&lock), EBUSY);
    return NULL;
}

int main(void)
{
    pthread_t threads[12];
    OK(pthread_barrier_init(&together, NULL, 5));
    for (int i = 0; i < 5; i++) threads[i] = spawn(read_together, NULL);
    for (int i = 0; i < 5; i++) join(threads[i]);
    for (intptr_t i = 0; i < 12; i++) threads[i] = spawn(mixed, (void *)i);
    for (int i = 0; i < 12; i++) join(threads[i]);
    ASSERT_EQ(writes, 4 * 50);
    OK(pthread_rwlock_wrlock(&lock));
    join(spawn(times_out, NULL));
    OK(pthread_rwlock_unlock(&lock));
    return 0;
}
