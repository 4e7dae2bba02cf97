// Eight threads add to a counter under one mutex and wait while holding it: nothing is lost, all end.
#include "coop-test.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long counter;

static void *body(void *unused)
{
    (void)unused;
    for (int i = 0; i < 2000; i++) {
        OK(pthread_mutex_lock(&lock));
        long seen = counter;
        if (i % 20 == 0) sched_yield();
        if (i % 500 == 0) sleep_ms(1);
        counter = seen + 1;
        OK(pthread_mutex_unlock(&lock));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 8; i++) join(threads[i]);
    ASSERT_EQ(counter, 8 * 2000);
    return 0;
}
