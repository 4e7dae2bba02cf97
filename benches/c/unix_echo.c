/* 64 bytes to and fro over a Unix stream socket between two threads, and between 50 pairs of threads: per round trip. */
#include "bench.h"
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 50, SIZE = 64 };

struct pair {
    int ends[2];
    long rounds;
    pthread_t thread;
};

static struct pair pairs[PAIRS];

static void *serve(void *arg)
{
    struct pair *p = arg;
    char bytes[SIZE];
    for (ssize_t got; (got = read(p->ends[0], bytes, sizeof bytes)) > 0;)
        MUST_ERRNO(write(p->ends[0], bytes, (size_t)got));
    return NULL;
}

static void *ask(void *arg)
{
    struct pair *p = arg;
    char bytes[SIZE] = "";
    for (long i = 0; i < p->rounds; i++) {
        MUST_ERRNO(write(p->ends[1], bytes, sizeof bytes));
        MUST_ERRNO(read(p->ends[1], bytes, sizeof bytes));
    }
    return NULL;
}

static void one(long n)
{
    pairs[0].rounds = n;
    ask(&pairs[0]);
}

static void many(long n)
{
    for (int i = 0; i < PAIRS; i++) {
        pairs[i].rounds = n / PAIRS + 1;
        MUST(pthread_create(&pairs[i].thread, NULL, ask, &pairs[i]));
    }
    for (int i = 0; i < PAIRS; i++)
        MUST(pthread_join(pairs[i].thread, NULL));
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    for (int i = 0; i < PAIRS; i++) {
        pthread_t server;
        MUST_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, pairs[i].ends));
        MUST(pthread_create(&server, NULL, serve, &pairs[i]));
        MUST(pthread_detach(server));
    }
    bench_measure("one-pair", one, "ns");
    bench_measure("50-pairs", many, "ns");
}
