/* Two threads send one byte to and fro through two pipes. */
#include "bench.h"
#include <unistd.h>

static int there[2], back[2];

static void *answerer(void *unused)
{
    char byte;
    while (read(there[0], &byte, 1) == 1)
        MUST(write(back[1], &byte, 1) == 1 ? 0 : errno);
    return unused;
}

static void ping_pong(long n)
{
    char byte = 'x';
    for (long i = 0; i < n; i++) {
        MUST(write(there[1], &byte, 1) == 1 ? 0 : errno);
        MUST(read(back[0], &byte, 1) == 1 ? 0 : errno);
    }
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    pthread_t thread;
    MUST_ERRNO(pipe(there));
    MUST_ERRNO(pipe(back));
    MUST(pthread_create(&thread, NULL, answerer, NULL));
    bench_measure("round-trip", ping_pong, "ns");
    MUST_ERRNO(close(there[1]));
    MUST(pthread_join(thread, NULL));
}
