// A robust, priority-inheriting mutex tells the next owner that the last one ended; waiters are told as well.
#include "coop-test.h"

static pthread_mutex_t mutex;
static sem_t held, end;

static void *owner(void *unused)
{
    OK(pthread_mutex_lock(&mutex));
    SYS(sem_post(&held));
    SYS(sem_wait(&end));
    return unused;
}

static void *waiter(void *unused)
{
    (void)unused;
    GIVES(pthread_mutex_lock(&mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(&mutex));
    OK(pthread_mutex_unlock(&mutex));
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    OK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    OK(pthread_mutex_init(&mutex, &attributes));
    SYS(sem_init(&held, 0, 0));
    SYS(sem_init(&end, 0, 0));
    for (int waits = 0; waits < 2; waits++) {
        pthread_t first = spawn(owner, NULL);
        SYS(sem_wait(&held));
        if (waits) {
            pthread_t second = spawn(waiter, NULL);
            let_others_block();
            SYS(sem_post(&end));
            join(first);
            join(second);
        } else {
            SYS(sem_post(&end));
            join(first);
            waiter(NULL);
        }
        OK(pthread_mutex_lock(&mutex));
        OK(pthread_mutex_unlock(&mutex));
    }
    return 0;
}
