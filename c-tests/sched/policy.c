// Scheduling policy and priority are a thread's own: set for itself, for another, and by attributes; new threads inherit them.
#include "coop-test.h"

static sem_t ready, go;

static int policy_of(pthread_t thread, int *priority)
{
    struct sched_param parameters;
    int policy;
    OK(pthread_getschedparam(thread, &policy, &parameters));
    *priority = parameters.sched_priority;
    return policy;
}

static void *waiter(void *unused)
{
    SYS(sem_post(&ready));
    SYS(sem_wait(&go));
    return unused;
}

static void *child(void *unused)
{
    int priority;
    ASSERT_EQ(policy_of(pthread_self(), &priority), SCHED_BATCH);
    ASSERT_EQ(sched_getscheduler(0), SCHED_BATCH);
    return unused;
}

static void *batch(void *unused)
{
    struct sched_param none = {.sched_priority = 0}, bad = {.sched_priority = 5};
    OK(pthread_setschedparam(pthread_self(), SCHED_BATCH, &none));
    GIVES(pthread_setschedparam(pthread_self(), SCHED_BATCH, &bad), EINVAL);
    FAILS(sched_setscheduler(0, 77, &none), EINVAL);
    FAILS(sched_setscheduler(0, SCHED_FIFO, &none), EINVAL);
    FAILS(sched_setscheduler(0, SCHED_OTHER, NULL), EINVAL);
    join(spawn(child, NULL));
    return unused;
}

static void real_time(void)
{
    struct sched_param five = {.sched_priority = 5};
    pthread_attr_t attributes;
    pthread_t thread;
    int priority;
    OK(pthread_attr_init(&attributes));
    OK(pthread_attr_setinheritsched(&attributes, PTHREAD_EXPLICIT_SCHED));
    OK(pthread_attr_setschedpolicy(&attributes, SCHED_RR));
    OK(pthread_attr_setschedparam(&attributes, &five));
    int error = pthread_create(&thread, &attributes, waiter, NULL);
    if (error == EPERM) return;
    OK(error);
    SYS(sem_wait(&ready));
    ASSERT_EQ(policy_of(thread, &priority), SCHED_RR);
    ASSERT_EQ(priority, 5);
    OK(pthread_setschedprio(thread, 7));
    ASSERT_EQ(policy_of(thread, &priority), SCHED_RR);
    ASSERT_EQ(priority, 7);
    ASSERT_EQ(policy_of(pthread_self(), &priority), SCHED_OTHER);
    SYS(sem_post(&go));
    join(thread);
}

int main(void)
{
    int priority;
    SYS(sem_init(&ready, 0, 0));
    SYS(sem_init(&go, 0, 0));
    join(spawn(batch, NULL));
    ASSERT_EQ(policy_of(pthread_self(), &priority), SCHED_OTHER);
    real_time();
    return 0;
}
