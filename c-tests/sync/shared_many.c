// More threads wait on objects in shared memory than any pool is likely to have, and all are woken by one of their own kind.
// timeout: 60
#include "shared.h"

enum { THREADS = 1200 };

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int waiting, open;
};

static struct gate *gate;

static void *waiter(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(&gate->mutex));
    gate->waiting++;
    while (!gate->open) OK(pthread_cond_wait(&gate->changed, &gate->mutex));
    gate->waiting--;
    OK(pthread_mutex_unlock(&gate->mutex));
    return NULL;
}

static void *opener(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(&gate->mutex));
    gate->open = 1;
    OK(pthread_cond_broadcast(&gate->changed));
    OK(pthread_mutex_unlock(&gate->mutex));
    return NULL;
}

static int waiting(void)
{
    OK(pthread_mutex_lock(&gate->mutex));
    int count = gate->waiting;
    OK(pthread_mutex_unlock(&gate->mutex));
    return count;
}

int main(void)
{
    gate = shared_memory(sizeof *gate);
    shared_mutex(&gate->mutex, 0);
    shared_cond(&gate->changed);
    static pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(waiter, NULL);
    UNTIL(waiting() == THREADS);
    join(spawn(opener, NULL));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(gate->waiting, 0);
    return 0;
}
