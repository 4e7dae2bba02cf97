// A barrier in shared memory: threads of a parent and of its child meet there, and one of them is told to be the last.
#include "shared.h"

enum { THREADS = 3, ROUNDS = 20 };

struct meeting {
    pthread_barrier_t barrier;
    _Atomic int serial, inside;
};

static struct meeting *meeting;

static void *member(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        meeting->inside++;
        int error = pthread_barrier_wait(&meeting->barrier);
        ASSERT(error == 0 || error == PTHREAD_BARRIER_SERIAL_THREAD);
        ASSERT_GE(meeting->inside, (i + 1) * 2 * THREADS);
        if (error != 0) meeting->serial++;
        pthread_barrier_wait(&meeting->barrier);
    }
    return NULL;
}

static void members(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(member, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
}

int main(void)
{
    meeting = shared_memory(sizeof *meeting);
    pthread_barrierattr_t attributes;
    OK(pthread_barrierattr_init(&attributes));
    OK(pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    OK(pthread_barrier_init(&meeting->barrier, &attributes, 2 * THREADS));
    pid_t child = SYS(fork());
    members();
    if (child == 0) _exit(0);
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(meeting->serial, ROUNDS);
    return 0;
}
