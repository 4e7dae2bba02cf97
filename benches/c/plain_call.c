/* A system call that never blocks: what a call pays that gains nothing from coroutines. */
#include "bench.h"
#include <unistd.h>

static void call(long n)
{
    for (long i = 0; i < n; i++)
        getppid();
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    bench_measure("getppid", call, "ns");
}
