// Threads' CPU clocks.
#ifndef CPU_H
#define CPU_H

#include "coop-test.h"
#include <stdatomic.h>
#include <sys/resource.h>

// The calling thread's CPU time in ns.
static inline int64_t my_cpu(void)
{
    return now_ns(CLOCK_THREAD_CPUTIME_ID);
}

static inline clockid_t clock_of(pthread_t thread)
{
    clockid_t clock;
    OK(pthread_getcpuclockid(thread, &clock));
    return clock;
}

// The number of a thread's CPU clock, as libc makes it: valid or not.
static inline clockid_t clock_number(pid_t id, int kind)
{
    return (clockid_t)(~(unsigned)id << 3 | 4 | (unsigned)kind);
}

// Work that calls nothing, of some 100 microseconds.
static inline void work(void)
{
    for (volatile int i = 0; i < 50000; i++) continue;
}

// Computes for so many milliseconds of the thread's own time.
static inline void compute_ms(int64_t ms)
{
    int64_t until = my_cpu() + ms * NS_PER_MS;
    while (my_cpu() < until) work();
}

#endif
