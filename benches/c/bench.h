/*
 * What every micro benchmark shares: a clock, a measured loop that finds its own length, a gate for crowds of threads,
 * and the output: a line a figure, `name value unit`. Lines that begin with `#` are remarks.
 */
#ifndef BENCH_H
#define BENCH_H

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000L

/* Stops the benchmark with a message unless `error`, as pthread functions return it, is 0. */
#define MUST(call)                                                                   \
    do {                                                                             \
        int error_ = (call);                                                         \
        if (error_ != 0) {                                                           \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, strerror(error_)); \
            exit(1);                                                                 \
        }                                                                            \
    } while (0)

/* The same for calls that return -1 and set errno. */
#define MUST_ERRNO(call) MUST((call) < 0 ? errno : 0)

static inline long bench_clock(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

static inline long bench_now(void)
{
    return bench_clock(CLOCK_MONOTONIC);
}

static inline void bench_report(const char *name, double value, const char *unit)
{
    printf("%s %.6g %s\n", name, value, unit);
}

/*
 * Runs body(n) with ever larger n until one run lasts long enough to be trusted, and reports that run's nanoseconds
 * an iteration. The short runs before it are the warm-up.
 */
static inline void bench_measure(const char *name, void (*body)(long n), const char *unit)
{
    const double enough = 0.3e9, aim = 0.45e9;
    long n = 64;

    for (;;) {
        long start = bench_now();
        body(n);
        double took = (double)(bench_now() - start);
        if (took >= enough) {
            bench_report(name, took / (double)n, unit);
            return;
        }
        double factor = aim / (took + 1);
        n = (long)((double)n * (factor > 16 ? 16 : factor < 2 ? 2 : factor));
    }
}

/* A crowd of threads gathers before a gate; whoever opens it knows that all of them are there. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t arrived, opened;
    long waiting;
    int open;
};

#define GATE_INITIALIZER \
    { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0 }

static inline void gate_wait(struct gate *g)
{
    MUST(pthread_mutex_lock(&g->lock));
    g->waiting++;
    MUST(pthread_cond_signal(&g->arrived));
    while (!g->open)
        MUST(pthread_cond_wait(&g->opened, &g->lock));
    MUST(pthread_mutex_unlock(&g->lock));
}

static inline void gate_gather(struct gate *g, long crowd)
{
    MUST(pthread_mutex_lock(&g->lock));
    while (g->waiting < crowd)
        MUST(pthread_cond_wait(&g->arrived, &g->lock));
    MUST(pthread_mutex_unlock(&g->lock));
}

static inline void gate_open(struct gate *g)
{
    MUST(pthread_mutex_lock(&g->lock));
    g->open = 1;
    MUST(pthread_cond_broadcast(&g->opened));
    MUST(pthread_mutex_unlock(&g->lock));
}

/* The attributes of a thread in a crowd: the default of 8 MiB of stack is not for thousands. */
static inline void crowd_attr(pthread_attr_t *attr)
{
    MUST(pthread_attr_init(attr));
    MUST(pthread_attr_setstacksize(attr, 64 * 1024));
}

/* The benchmark itself, which each file defines. It runs in a thread, as the code of a threaded program mostly does. */
static void bench(int argc, char **argv);

struct bench_arguments {
    int argc;
    char **argv;
};

static void *bench_thread(void *arg)
{
    struct bench_arguments *a = arg;
    bench(a->argc, a->argv);
    return NULL;
}

int main(int argc, char **argv)
{
    struct bench_arguments a = { argc, argv };
    pthread_t thread;

    setvbuf(stdout, NULL, _IOLBF, 0);
    MUST(pthread_create(&thread, NULL, bench_thread, &a));
    MUST(pthread_join(thread, NULL));
    return 0;
}

#endif
