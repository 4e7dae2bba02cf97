/* A thread that does nothing is created and joined, over and over. */
#include "bench.h"

static void *nothing(void *arg)
{
    return arg;
}

static void create_and_join(long n)
{
    pthread_t thread;

    for (long i = 0; i < n; i++) {
        void *result;
        MUST(pthread_create(&thread, NULL, nothing, (void *)i));
        MUST(pthread_join(thread, &result));
        if ((long)result != i) {
            fprintf(stderr, "thread %ld returned %ld\n", i, (long)result);
            exit(1);
        }
    }
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    bench_measure("create+join", create_and_join, "ns");
}
