// A rwlock in shared memory: writers of one process wait for readers of the other, and the reverse.
#include "shared.h"

struct book {
    pthread_rwlock_t lock;
    _Atomic int readers, writers;
    int written;
};

static struct book *book;

static void *mixed(void *argument)
{
    for (int i = 0; i < 60; i++) {
        if ((i + (intptr_t)argument) % 3 == 0) {
            OK(pthread_rwlock_wrlock(&book->lock));
            ASSERT_EQ(book->writers++, 0);
            ASSERT_EQ(book->readers, 0);
            sched_yield();
            book->written++;
            book->writers--;
        } else {
            OK(pthread_rwlock_rdlock(&book->lock));
            book->readers++;
            ASSERT_EQ(book->writers, 0);
            sched_yield();
            book->readers--;
        }
        OK(pthread_rwlock_unlock(&book->lock));
    }
    return NULL;
}

int main(void)
{
    book = shared_memory(sizeof *book);
    pthread_rwlockattr_t attributes;
    OK(pthread_rwlockattr_init(&attributes));
    OK(pthread_rwlockattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    OK(pthread_rwlock_init(&book->lock, &attributes));
    pid_t child = SYS(fork());
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(mixed, (void *)i);
    for (int i = 0; i < 4; i++) join(threads[i]);
    if (child == 0) _exit(0);
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(book->written, 2 * 4 * 20);
    return 0;
}
