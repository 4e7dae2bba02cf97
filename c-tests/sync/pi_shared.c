// Priority-inheriting mutexes in shared memory, between the threads of one process and those of its child that has threads, too.
#include "shared.h"

enum { THREADS = 3, ROUNDS = 100 };

struct room {
    pthread_mutex_t mutex;
    int inside, counter;
};

static struct room *room;

static void *worker(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        OK(pthread_mutex_lock(&room->mutex));
        ASSERT_EQ(room->inside++, 0);
        if (i % 10 == 0) sched_yield();
        room->counter++;
        room->inside--;
        OK(pthread_mutex_unlock(&room->mutex));
    }
    return NULL;
}

int main(void)
{
    room = shared_memory(sizeof *room);
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    OK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    OK(pthread_mutex_init(&room->mutex, &attributes));
    pid_t child = SYS(fork());
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(worker, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    if (child == 0) _exit(0);
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(room->counter, 2 * THREADS * ROUNDS);
    return 0;
}
