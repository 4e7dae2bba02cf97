// A process that is killed leaves the robust mutexes that its threads hold as of a dead owner, and of their waiters in another process
// wakes one each.
#include "shared.h"

enum { THREADS = 20 };

static pthread_mutex_t *mutexes;
static int told[2];

static void *holder(void *number)
{
    OK(pthread_mutex_lock(&mutexes[(long)number]));
    write_all(told[1], "x", 1);
    for (;;) pause();
}

static void *waiter(void *number)
{
    pthread_mutex_t *mutex = &mutexes[(long)number];
    GIVES(pthread_mutex_lock(mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(mutex));
    OK(pthread_mutex_unlock(mutex));
    return NULL;
}

int main(void)
{
    char bytes[THREADS];
    mutexes = shared_memory(THREADS * sizeof *mutexes);
    for (int i = 0; i < THREADS; i++) shared_mutex(&mutexes[i], 1);
    SYS(pipe(told));
    pid_t child = SYS(fork());
    if (child == 0) {
        for (long i = 0; i < THREADS; i++) spawn(holder, (void *)i);
        for (;;) pause();
    }
    ASSERT_EQ(read_all(told[0], bytes, THREADS), THREADS);
    pthread_t waiters[THREADS / 2];
    for (long i = 0; i < THREADS / 2; i++) waiters[i] = spawn(waiter, (void *)i);
    let_others_block();
    SYS(kill(child, SIGKILL));
    for (int i = 0; i < THREADS / 2; i++) join(waiters[i]);
    for (long i = THREADS / 2; i < THREADS; i++) waiter((void *)i);
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    return 0;
}
