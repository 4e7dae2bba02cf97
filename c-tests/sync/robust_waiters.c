// Threads that wait for a robust mutex when its owner ends: one gets EOWNERDEAD, and after it the others the mutex, one by one.
#include "coop-test.h"

enum { WAITERS = 6 };

static pthread_mutex_t mutex;
static sem_t held, end;
static int dead_owners, owners;

static void *owner(void *unused)
{
    OK(pthread_mutex_lock(&mutex));
    SYS(sem_post(&held));
    while (sem_wait(&end) != 0) {
    }
    // By pthread_exit, from below: as by return.
    pthread_exit(unused);
}

static void *waiter(void *unused)
{
    (void)unused;
    int error = pthread_mutex_lock(&mutex);
    if (error == EOWNERDEAD) {
        dead_owners++;
        OK(pthread_mutex_consistent(&mutex));
    } else {
        OK(error);
    }
    owners++;
    OK(pthread_mutex_unlock(&mutex));
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    OK(pthread_mutex_init(&mutex, &attributes));
    SYS(sem_init(&held, 0, 0));
    SYS(sem_init(&end, 0, 0));
    pthread_t first = spawn(owner, NULL), waiters[WAITERS];
    SYS(sem_wait(&held));
    for (int i = 0; i < WAITERS; i++) waiters[i] = spawn(waiter, NULL);
    let_others_block();
    SYS(sem_post(&end));
    join(first);
    for (int i = 0; i < WAITERS; i++) join(waiters[i]);
    ASSERT_EQ(dead_owners, 1);
    ASSERT_EQ(owners, WAITERS);
    return 0;
}
