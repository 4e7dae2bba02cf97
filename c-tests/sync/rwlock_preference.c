// While a writer waits, a rwlock that prefers readers lets new ones in, and one that prefers writers does not.
#include "coop-test.h"

static pthread_rwlock_t lock;
static _Atomic int written;

static void *writer(void *unused)
{
    (void)unused;
    OK(pthread_rwlock_wrlock(&lock));
    written = 1;
    OK(pthread_rwlock_unlock(&lock));
    return NULL;
}

static void *reader(void *unused)
{
    (void)unused;
    OK(pthread_rwlock_rdlock(&lock));
    intptr_t seen = written;
    OK(pthread_rwlock_unlock(&lock));
    return (void *)seen;
}

static void init(int kind)
{
    pthread_rwlockattr_t attributes;
    int now;
    OK(pthread_rwlockattr_init(&attributes));
    OK(pthread_rwlockattr_setkind_np(&attributes, kind));
    OK(pthread_rwlockattr_getkind_np(&attributes, &now));
    ASSERT_EQ(now, kind);
    OK(pthread_rwlock_init(&lock, &attributes));
    written = 0;
}

// A try fails from when the writer waits on.
static void wait_for_writer(void)
{
    int error;
    while ((error = pthread_rwlock_tryrdlock(&lock)) == 0) {
        OK(pthread_rwlock_unlock(&lock));
        sleep_ms(1);
    }
    ASSERT_EQ(error, EBUSY);
}

int main(void)
{
    init(PTHREAD_RWLOCK_PREFER_READER_NP);
    OK(pthread_rwlock_rdlock(&lock));
    pthread_t first = spawn(writer, NULL);
    let_others_block();
    ASSERT_EQ((intptr_t)join(spawn(reader, NULL)), 0);
    OK(pthread_rwlock_unlock(&lock));
    join(first);
    OK(pthread_rwlock_destroy(&lock));

    init(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    OK(pthread_rwlock_rdlock(&lock));
    first = spawn(writer, NULL);
    wait_for_writer();
    pthread_t second = spawn(reader, NULL);
    let_others_block();
    OK(pthread_rwlock_unlock(&lock));
    join(first);
    ASSERT_EQ((intptr_t)join(second), 1);
    OK(pthread_rwlock_destroy(&lock));
    return 0;
}
