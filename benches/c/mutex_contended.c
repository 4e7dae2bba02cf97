/*
 * Eight threads want one mutex. `short`: held for one increment, so that a lucky thread runs long without meeting
 * another. `held`: the holder yields the CPU before it lets go, so that the others queue up behind it every time.
 */
#include "bench.h"
#include <sched.h>

enum { THREADS = 8 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter, turns;
static int yields;

static void *contender(void *arg)
{
    (void)arg;
    for (long i = 0; i < turns; i++) {
        pthread_mutex_lock(&lock);
        counter++;
        if (yields)
            sched_yield();
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

static void contend(long n)
{
    pthread_t threads[THREADS];

    counter = 0;
    turns = n / THREADS;
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], NULL, contender, NULL));
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(threads[i], NULL));
    if (counter != turns * THREADS) {
        fprintf(stderr, "the mutex let two threads in: %ld of %ld increments\n", counter, turns * THREADS);
        exit(1);
    }
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    bench_measure("short", contend, "ns");
    yields = 1;
    bench_measure("held", contend, "ns");
}
