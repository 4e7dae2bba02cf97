// The affinity and scheduling calls of a thread answer for that thread and leave it running.
#include "coop-test.h"

static void *body(void *unused)
{
    (void)unused;
    cpu_set_t cpus;
    OK(pthread_getaffinity_np(pthread_self(), sizeof cpus, &cpus));
    ASSERT_GE(CPU_COUNT(&cpus), 1);
    ASSERT_GE(sched_getcpu(), 0);
    int policy;
    struct sched_param parameters;
    OK(pthread_getschedparam(pthread_self(), &policy, &parameters));
    ASSERT_EQ(policy, SCHED_OTHER);
    ASSERT_EQ(parameters.sched_priority, 0);
    OK(pthread_setschedparam(pthread_self(), policy, &parameters));
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
