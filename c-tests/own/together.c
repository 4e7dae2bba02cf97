// Threads with something of their own and plain ones hand turns to each other: mutexes, condition variables, semaphores, pipes, barriers, joins.
#include "own.h"

enum { THREADS = 6, ROUNDS = 300 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static int turn, count;
static int ring[THREADS][2];

static void *takes_turns(void *argument)
{
    int me = (int)(intptr_t)argument;
    if (me % 2) SYS(prctl(PR_SET_TIMERSLACK, 70000 + me, 0, 0, 0));
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != me) pthread_cond_wait(&turned, &mutex);
        turn = (turn + 1) % THREADS;
        count++;
        pthread_cond_broadcast(&turned);
        pthread_mutex_unlock(&mutex);
    }
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < ROUNDS; i++) {
        char byte;
        ASSERT_EQ(read(ring[me][0], &byte, 1), 1);
        write_all(ring[(me + 1) % THREADS][1], &byte, 1);
    }
    pthread_barrier_wait(&barrier);
    if (me % 2) ASSERT_EQ(prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0), 70000 + me);
    return argument;
}

int main(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) SYS(pipe(ring[i]));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(takes_turns, (void *)(intptr_t)i);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    ASSERT_EQ(count, THREADS * ROUNDS);
    write_all(ring[0][1], "x", 1);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) ASSERT_EQ((intptr_t)join(threads[i]), i);
    return 0;
}
