// Spin locks around short sections that never wait; trylock of a held one is EBUSY.
#include "coop-test.h"

static pthread_spinlock_t lock, held;
static long counter;

static void *body(void *unused)
{
    (void)unused;
    GIVES(pthread_spin_trylock(&held), EBUSY);
    for (int i = 0; i < 2000; i++) {
        OK(pthread_spin_lock(&lock));
        counter++;
        OK(pthread_spin_unlock(&lock));
        if (i % 100 == 0) sched_yield();
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    OK(pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE));
    OK(pthread_spin_init(&held, PTHREAD_PROCESS_PRIVATE));
    OK(pthread_spin_lock(&held));
    for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    ASSERT_EQ(counter, 8000);
    OK(pthread_spin_unlock(&held));
    return 0;
}
