// Threads that pass a turn by spinning on a flag, without any call, all get on: those that compute are preempted.
// env: COOP_SLICE=1
#include "coop-test.h"
#include <stdatomic.h>

enum { THREADS = 4, ROUNDS = 5 };

static atomic_int turn;
static int taken[THREADS];

static void *spinner(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int round = 0; round < ROUNDS; round++) {
        while (atomic_load(&turn) % THREADS != me) {
        }
        taken[me]++;
        atomic_fetch_add(&turn, 1);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(spinner, (void *)i);
    while (atomic_load(&turn) < THREADS * ROUNDS) {
    }
    for (int i = 0; i < THREADS; i++) {
        join(threads[i]);
        ASSERT_EQ(taken[i], ROUNDS);
    }
    return 0;
}
