// A robust mutex whose owner ends gives EOWNERDEAD to the next, is usable after pthread_mutex_consistent, and else for nobody.
#include "coop-test.h"

static pthread_mutex_t mutex;

static void *ends_with_it(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(&mutex));
    return NULL;
}

static void *fails_to_repair(void *unused)
{
    (void)unused;
    GIVES(pthread_mutex_lock(&mutex), EOWNERDEAD);
    OK(pthread_mutex_unlock(&mutex));
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    OK(pthread_mutex_init(&mutex, &attributes));

    join(spawn(ends_with_it, NULL));
    GIVES(pthread_mutex_lock(&mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(&mutex));
    OK(pthread_mutex_unlock(&mutex));
    OK(pthread_mutex_lock(&mutex));
    OK(pthread_mutex_unlock(&mutex));

    join(spawn(ends_with_it, NULL));
    GIVES(pthread_mutex_trylock(&mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(&mutex));
    OK(pthread_mutex_unlock(&mutex));

    join(spawn(ends_with_it, NULL));
    join(spawn(fails_to_repair, NULL));
    GIVES(pthread_mutex_lock(&mutex), ENOTRECOVERABLE);
    GIVES(pthread_mutex_trylock(&mutex), ENOTRECOVERABLE);
    OK(pthread_mutex_destroy(&mutex));
    return 0;
}
