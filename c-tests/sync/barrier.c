// A barrier holds 20 threads until the last arrives, again and again, and names one of them serial each time.
#include "coop-test.h"

#define THREADS 20
#define ROUNDS 30

static pthread_barrier_t barrier;
static _Atomic int arrived[ROUNDS], serial[ROUNDS];

static void *body(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        arrived[i]++;
        int result = pthread_barrier_wait(&barrier);
        ASSERT_EQ(arrived[i], THREADS);
        if (result == PTHREAD_BARRIER_SERIAL_THREAD) serial[i]++;
        else ASSERT_EQ(result, 0);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    OK(pthread_barrier_init(&barrier, NULL, THREADS));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < ROUNDS; i++) ASSERT_EQ(serial[i], 1);
    OK(pthread_barrier_destroy(&barrier));
    return 0;
}
