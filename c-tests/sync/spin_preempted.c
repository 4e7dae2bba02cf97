// Spin locks among threads that compute inside them: one that is preempted with the lock gets on, however many spin.
// env: COOP_SLICE=1
#include "coop-test.h"

enum { THREADS = 5, ROUNDS = 6 };

static pthread_spinlock_t lock;
static volatile int inside, counter;

static void compute(long ns)
{
    int64_t until = now_ns(CLOCK_THREAD_CPUTIME_ID) + ns;
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until) {
    }
}

static void *body(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        OK(pthread_spin_lock(&lock));
        ASSERT_EQ(inside, 0);
        inside = 1;
        if (i == 0) compute(2 * NS_PER_MS);
        counter++;
        inside = 0;
        OK(pthread_spin_unlock(&lock));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    OK(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(counter, THREADS * ROUNDS);
    return 0;
}
