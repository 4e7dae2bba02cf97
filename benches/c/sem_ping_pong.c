/* Two threads wake each other in turn with two semaphores. */
#include "bench.h"
#include <semaphore.h>

static sem_t ping, pong;
static long rounds;

static void *answer(void *arg)
{
    (void)arg;
    for (long i = 0; i < rounds; i++) {
        sem_wait(&ping);
        sem_post(&pong);
    }
    return NULL;
}

static void play(long n)
{
    pthread_t other;

    rounds = n;
    MUST(pthread_create(&other, NULL, answer, NULL));
    for (long i = 0; i < n; i++) {
        sem_post(&ping);
        sem_wait(&pong);
    }
    MUST(pthread_join(other, NULL));
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    MUST_ERRNO(sem_init(&ping, 0, 0));
    MUST_ERRNO(sem_init(&pong, 0, 0));
    bench_measure("round-trip", play, "ns");
}
