// A condition variable with a priority-inheriting, recursive mutex: waiters come back with the mutex, in their own time.
#include "coop-test.h"

enum { THREADS = 6, ROUNDS = 40 };

static pthread_mutex_t mutex;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;

static void *player(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        OK(pthread_mutex_lock(&mutex));
        while (turn % THREADS != me) OK(pthread_cond_wait(&changed, &mutex));
        // The mutex is ours: once more, and for nobody else.
        OK(pthread_mutex_lock(&mutex));
        turn++;
        OK(pthread_mutex_unlock(&mutex));
        OK(pthread_cond_broadcast(&changed));
        OK(pthread_mutex_unlock(&mutex));
    }
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE));
    OK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    OK(pthread_mutex_init(&mutex, &attributes));
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(player, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(turn, THREADS * ROUNDS);
    struct timespec soon = in_ms(CLOCK_REALTIME, 20);
    OK(pthread_mutex_lock(&mutex));
    GIVES(pthread_cond_timedwait(&changed, &mutex, &soon), ETIMEDOUT);
    OK(pthread_mutex_unlock(&mutex));
    GIVES(pthread_mutex_unlock(&mutex), EPERM);
    return 0;
}
