// Memory that a forked child shares, and objects in it that both processes use.
#ifndef SHARED_H
#define SHARED_H

#include "coop-test.h"

static inline void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(memory != MAP_FAILED);
    return memory;
}

static inline void shared_mutex(pthread_mutex_t *mutex, int robust)
{
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    if (robust) OK(pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST));
    OK(pthread_mutex_init(mutex, &attributes));
    OK(pthread_mutexattr_destroy(&attributes));
}

static inline void shared_cond(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;
    OK(pthread_condattr_init(&attributes));
    OK(pthread_condattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    OK(pthread_cond_init(cond, &attributes));
    OK(pthread_condattr_destroy(&attributes));
}

__attribute__((unused)) static void *nothing(void *unused)
{
    return unused;
}

// Makes this process one with threads (under libcoop: one that is converted).
static inline void have_threads(void)
{
    join(spawn(nothing, NULL));
}

#endif
