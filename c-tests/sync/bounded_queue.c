// Producers and consumers on a queue of four places: every item arrives once.
#include "coop-test.h"

#define WORKERS 5
#define ITEMS 400

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t space = PTHREAD_COND_INITIALIZER, items = PTHREAD_COND_INITIALIZER;
static int queue[4], held, seen[WORKERS * ITEMS];

static void *produce(void *argument)
{
    int base = (int)(intptr_t)argument * ITEMS;
    for (int i = 0; i < ITEMS; i++) {
        OK(pthread_mutex_lock(&lock));
        while (held == 4) OK(pthread_cond_wait(&space, &lock));
        queue[held++] = base + i;
        OK(pthread_cond_signal(&items));
        OK(pthread_mutex_unlock(&lock));
    }
    return NULL;
}

static void *consume(void *unused)
{
    (void)unused;
    for (int i = 0; i < ITEMS; i++) {
        OK(pthread_mutex_lock(&lock));
        while (held == 0) OK(pthread_cond_wait(&items, &lock));
        seen[queue[--held]]++;
        OK(pthread_cond_signal(&space));
        OK(pthread_mutex_unlock(&lock));
    }
    return NULL;
}

int main(void)
{
    pthread_t producers[WORKERS], consumers[WORKERS];
    for (intptr_t i = 0; i < WORKERS; i++) {
        consumers[i] = spawn(consume, NULL);
        producers[i] = spawn(produce, (void *)i);
    }
    for (int i = 0; i < WORKERS; i++) {
        join(producers[i]);
        join(consumers[i]);
    }
    for (int i = 0; i < WORKERS * ITEMS; i++) ASSERT_EQ(seen[i], 1);
    return 0;
}
