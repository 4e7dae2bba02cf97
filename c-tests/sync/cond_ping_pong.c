// Two threads hand a turn back and forth through one mutex and one condition variable.
#include "coop-test.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long turn;

static void *body(void *argument)
{
    long me = (long)(intptr_t)argument;
    OK(pthread_mutex_lock(&lock));
    for (int i = 0; i < 5000; i++) {
        while (turn % 2 != me) OK(pthread_cond_wait(&changed, &lock));
        turn++;
        OK(pthread_cond_signal(&changed));
    }
    OK(pthread_mutex_unlock(&lock));
    return NULL;
}

int main(void)
{
    pthread_t other = spawn(body, (void *)1);
    body((void *)0);
    join(other);
    ASSERT_EQ(turn, 10000);
    return 0;
}
