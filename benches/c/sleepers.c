/*
 * 5,000 threads sleep again and again, each for times of its own between 20 and 60 ms: how late they wake, and the
 * CPU time that a sleep costs. Waking early is an error.
 */
#include "bench.h"

enum { THREADS = 5000, SLEEPS = 15 };

static struct gate gate = GATE_INITIALIZER;
static long late[THREADS * SLEEPS];

static void *sleeper(void *arg)
{
    long me = (long)arg;

    gate_wait(&gate);
    for (int i = 0; i < SLEEPS; i++) {
        /* Spread out and the same in every run: multiplication by a large prime scatters. */
        long ns = 20000000 + (long)((unsigned long)(me * SLEEPS + i) * 2654435761UL % 40000000UL);
        struct timespec wanted = { 0, ns };
        long start = bench_now();
        MUST_ERRNO(nanosleep(&wanted, NULL));
        late[me * SLEEPS + i] = bench_now() - start - ns;
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static void bench(int argc, char **argv)
{
    static pthread_t threads[THREADS];
    pthread_attr_t attr;
    const long sleeps = THREADS * SLEEPS;

    (void)argc, (void)argv;
    crowd_attr(&attr);
    for (long i = 0; i < THREADS; i++)
        MUST(pthread_create(&threads[i], &attr, sleeper, (void *)i));
    gate_gather(&gate, THREADS);
    long cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID);
    gate_open(&gate);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_join(threads[i], NULL));
    cpu = bench_clock(CLOCK_PROCESS_CPUTIME_ID) - cpu;

    qsort(late, sleeps, sizeof *late, by_size);
    if (late[0] < 0) {
        fprintf(stderr, "a sleep ended %ld ns early\n", -late[0]);
        exit(1);
    }
    bench_report("late-p50", (double)late[sleeps / 2] / 1e3, "us");
    bench_report("late-p99", (double)late[sleeps / 100 * 99] / 1e3, "us");
    bench_report("cpu", (double)cpu / (double)sleeps, "ns");
}
