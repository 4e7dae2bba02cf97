// A thread's CPU clock never goes backwards, wherever the thread goes on after a wait, and has all its turns.
#include "cpu.h"

enum { THREADS = 8, TURNS = 300 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int turn;
static int64_t shown[THREADS];

static void *player(void *argument)
{
    int me = (int)(intptr_t)argument;
    int64_t last = my_cpu();
    for (int i = 0; i < TURNS; i++) {
        OK(pthread_mutex_lock(&lock));
        while (turn % THREADS != me) OK(pthread_cond_wait(&changed, &lock));
        turn++;
        OK(pthread_cond_broadcast(&changed));
        OK(pthread_mutex_unlock(&lock));
        int64_t now = my_cpu();
        ASSERT_GE(now, last);
        last = now;
        if (i % 50 == me) {
            compute_ms(2);
            ASSERT_GE(my_cpu(), last + 2 * NS_PER_MS);
        }
    }
    ASSERT_GE(last, 10 * NS_PER_MS);
    shown[me] = last;
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(player, (void *)(intptr_t)i);
    int64_t all = my_cpu();
    for (int i = 0; i < THREADS; i++) {
        join(threads[i]);
        all += shown[i];
    }
    ASSERT_LE(all, now_ns(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}
