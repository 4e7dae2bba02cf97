// What each mutex type says to its owner and to others: relock, trylock, unlock by a stranger.
#include "coop-test.h"

static pthread_mutex_t normal, recursive, checking;
static sem_t tried;

static void init(pthread_mutex_t *mutex, int type)
{
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_settype(&attributes, type));
    OK(pthread_mutex_init(mutex, &attributes));
    OK(pthread_mutexattr_destroy(&attributes));
}

static void *stranger(void *unused)
{
    (void)unused;
    GIVES(pthread_mutex_trylock(&normal), EBUSY);
    GIVES(pthread_mutex_trylock(&recursive), EBUSY);
    GIVES(pthread_mutex_trylock(&checking), EBUSY);
    GIVES(pthread_mutex_unlock(&recursive), EPERM);
    GIVES(pthread_mutex_unlock(&checking), EPERM);
    SYS(sem_post(&tried));
    // Waits until main lets go, level by level.
    OK(pthread_mutex_lock(&recursive));
    OK(pthread_mutex_lock(&checking));
    OK(pthread_mutex_lock(&normal));
    OK(pthread_mutex_unlock(&normal));
    OK(pthread_mutex_unlock(&checking));
    OK(pthread_mutex_unlock(&recursive));
    return NULL;
}

int main(void)
{
    init(&normal, PTHREAD_MUTEX_NORMAL);
    init(&recursive, PTHREAD_MUTEX_RECURSIVE);
    init(&checking, PTHREAD_MUTEX_ERRORCHECK);
    OK(pthread_mutex_lock(&normal));
    GIVES(pthread_mutex_trylock(&normal), EBUSY);
    for (int i = 0; i < 3; i++) OK(pthread_mutex_lock(&recursive));
    OK(pthread_mutex_lock(&checking));
    GIVES(pthread_mutex_lock(&checking), EDEADLK);

    pthread_t thread = spawn(stranger, NULL);
    while (sem_wait(&tried) != 0) {
    }
    let_others_block();
    for (int i = 0; i < 3; i++) {
        GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
        OK(pthread_mutex_unlock(&recursive));
        sched_yield();
    }
    OK(pthread_mutex_unlock(&checking));
    sched_yield();
    OK(pthread_mutex_unlock(&normal));
    join(thread);
    GIVES(pthread_mutex_unlock(&checking), EPERM);
    OK(pthread_mutex_destroy(&normal));
    OK(pthread_mutex_destroy(&recursive));
    OK(pthread_mutex_destroy(&checking));
    return 0;
}
