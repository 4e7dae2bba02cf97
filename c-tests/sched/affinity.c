// A thread's CPU mask is its own, is read back, and is inherited; a mask without a CPU that there is is refused.
#include "coop-test.h"

static void *child(void *wanted)
{
    cpu_set_t cpus;
    SYS(sched_getaffinity(0, sizeof cpus, &cpus));
    ASSERT(CPU_EQUAL(&cpus, (cpu_set_t *)wanted));
    return NULL;
}

static void *bound(void *argument)
{
    cpu_set_t all = *(cpu_set_t *)argument, one, cpus;
    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    OK(pthread_setaffinity_np(pthread_self(), sizeof one, &one));
    OK(pthread_getaffinity_np(pthread_self(), sizeof cpus, &cpus));
    ASSERT(CPU_EQUAL(&cpus, &one));
    join(spawn(child, &one));
    CPU_ZERO(&cpus);
    GIVES(pthread_setaffinity_np(pthread_self(), sizeof cpus, &cpus), EINVAL);
    FAILS(sched_getaffinity(0, 1, &cpus), EINVAL);
    OK(pthread_setaffinity_np(pthread_self(), sizeof all, &all));
    return child(&all);
}

int main(void)
{
    cpu_set_t all;
    SYS(sched_getaffinity(0, sizeof all, &all));
    join(spawn(bound, &all));
    child(&all);
    pthread_t thread = spawn(pause_for_ever, NULL);
    OK(pthread_setaffinity_np(thread, sizeof all, &all));
    cpu_set_t cpus;
    OK(pthread_getaffinity_np(thread, sizeof cpus, &cpus));
    ASSERT(CPU_EQUAL(&cpus, &all));
    OK(pthread_cancel(thread));
    join(thread);
    return 0;
}
