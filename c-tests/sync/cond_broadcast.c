// A broadcast wakes every waiter, round after round, with the mutex held or not.
#include "coop-test.h"

#define THREADS 50
#define ROUNDS 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t next = PTHREAD_COND_INITIALIZER, arrived = PTHREAD_COND_INITIALIZER;
static int round_number, waiting;

static void *body(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(&lock));
    for (int i = 0; i < ROUNDS; i++) {
        if (++waiting == THREADS) OK(pthread_cond_signal(&arrived));
        while (round_number == i) OK(pthread_cond_wait(&next, &lock));
    }
    OK(pthread_mutex_unlock(&lock));
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        OK(pthread_mutex_lock(&lock));
        while (waiting < THREADS) OK(pthread_cond_wait(&arrived, &lock));
        waiting = 0;
        round_number++;
        if (i % 2) OK(pthread_cond_broadcast(&next));
        OK(pthread_mutex_unlock(&lock));
        if (i % 2 == 0) OK(pthread_cond_broadcast(&next));
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
