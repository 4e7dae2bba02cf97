// Priority-protect mutexes: the ceiling can be read and changed, and locking behaves as it does for a thread of this priority.
#include "coop-test.h"

static pthread_mutex_t mutex;

static void *worker(void *unused)
{
    (void)unused;
    struct sched_param parameters = {.sched_priority = 2};
    int policy = -1, ceiling = -1, old = -1;
    int may = pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters);
    if (may == EPERM) return NULL;
    OK(may);
    OK(pthread_mutex_lock(&mutex));
    OK(pthread_mutex_unlock(&mutex));
    OK(pthread_getschedparam(pthread_self(), &policy, &parameters));
    ASSERT_EQ(policy, SCHED_FIFO);
    ASSERT_EQ(parameters.sched_priority, 2);
    OK(pthread_mutex_getprioceiling(&mutex, &ceiling));
    ASSERT_EQ(ceiling, 10);
    OK(pthread_mutex_setprioceiling(&mutex, 12, &old));
    ASSERT_EQ(old, 10);
    OK(pthread_mutex_setprioceiling(&mutex, 10, &old));
    ASSERT_EQ(old, 12);
    // A thread above the ceiling may not have it.
    parameters.sched_priority = 20;
    OK(pthread_setschedparam(pthread_self(), SCHED_FIFO, &parameters));
    GIVES(pthread_mutex_lock(&mutex), EINVAL);
    parameters.sched_priority = 0;
    OK(pthread_setschedparam(pthread_self(), SCHED_OTHER, &parameters));
    return NULL;
}

int main(void)
{
    pthread_mutexattr_t attributes;
    int protocol;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_PROTECT));
    OK(pthread_mutexattr_getprotocol(&attributes, &protocol));
    ASSERT_EQ(protocol, PTHREAD_PRIO_PROTECT);
    OK(pthread_mutexattr_setprioceiling(&attributes, 10));
    OK(pthread_mutex_init(&mutex, &attributes));
    join(spawn(worker, NULL));
    OK(pthread_mutex_destroy(&mutex));
    return 0;
}
