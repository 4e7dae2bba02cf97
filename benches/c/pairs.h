/*
 * What the socket benchmarks share: pairs of threads of which one asks and the other echoes, one pair or all at once, per round trip. The
 * benchmark opens the sockets and says what the echoing thread does.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include "bench.h"
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 50, SIZE = 64 };

struct pair {
    int server, client;
    long rounds;
    pthread_t thread;
};

static struct pair pairs[PAIRS];

static void *ask(void *arg)
{
    struct pair *p = arg;
    char bytes[SIZE] = "";
    for (long i = 0; i < p->rounds; i++) {
        MUST_ERRNO(send(p->client, bytes, sizeof bytes, 0));
        MUST_ERRNO(recv(p->client, bytes, sizeof bytes, 0));
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

/* Opens all pairs, starts a thread that serves each, and measures. */
static void measure_pairs(void (*open_pair)(struct pair *), void *(*serve)(void *))
{
    for (int i = 0; i < PAIRS; i++) {
        pthread_t server;
        open_pair(&pairs[i]);
        MUST(pthread_create(&server, NULL, serve, &pairs[i]));
        MUST(pthread_detach(server));
    }
    bench_measure("one-pair", one, "ns");
    bench_measure("50-pairs", many, "ns");
}

#endif
