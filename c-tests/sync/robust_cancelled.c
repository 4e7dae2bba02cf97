// A thread that is cancelled while it holds robust mutexes leaves all of them to others as of a dead owner.
#include "coop-test.h"

enum { MUTEXES = 5 };

static pthread_mutex_t mutexes[MUTEXES];
static sem_t held;

static void *owner(void *unused)
{
    (void)unused;
    for (int i = 0; i < MUTEXES; i++) OK(pthread_mutex_lock(&mutexes[i]));
    SYS(sem_post(&held));
    for (;;) pause();
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    for (int i = 0; i < MUTEXES; i++) OK(pthread_mutex_init(&mutexes[i], &attributes));
    SYS(sem_init(&held, 0, 0));
    pthread_t thread = spawn(owner, NULL);
    SYS(sem_wait(&held));
    OK(pthread_cancel(thread));
    ASSERT_PTR(join(thread), PTHREAD_CANCELED);
    for (int i = MUTEXES - 1; i >= 0; i--) {
        GIVES(pthread_mutex_lock(&mutexes[i]), EOWNERDEAD);
        OK(pthread_mutex_consistent(&mutexes[i]));
        OK(pthread_mutex_unlock(&mutexes[i]));
        OK(pthread_mutex_destroy(&mutexes[i]));
    }
    return 0;
}
