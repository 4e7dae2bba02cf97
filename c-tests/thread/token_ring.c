// A token goes ten times around a ring of 1,000 threads, each of which waits for its neighbour.
#include "coop-test.h"

#define THREADS 1000
#define ROUNDS 10

static sem_t ring[THREADS];
static long token;

static void *body(void *argument)
{
    size_t i = (size_t)argument;
    for (long round = 0; round < ROUNDS; round++) {
        SYS(sem_wait(&ring[i]));
        ASSERT_EQ(token, round * THREADS + (long)i);
        token++;
        SYS(sem_post(&ring[(i + 1) % THREADS]));
    }
    return NULL;
}

int main(void)
{
    static pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) SYS(sem_init(&ring[i], 0, 0));
    for (size_t i = 0; i < THREADS; i++) threads[i] = spawn_small(body, (void *)i);
    SYS(sem_post(&ring[0]));
    for (size_t i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(token, THREADS * ROUNDS);
    return 0;
}
