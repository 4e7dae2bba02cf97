// Each signal lets exactly one waiter on: nobody is woken in vain for ever, nobody is forgotten.
#include "coop-test.h"

#define THREADS 10

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int waiting, permits, passed;

static void *body(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(&lock));
    waiting++;
    while (permits == 0) OK(pthread_cond_wait(&changed, &lock));
    permits--;
    passed++;
    OK(pthread_mutex_unlock(&lock));
    return NULL;
}

static int locked_read(const int *value)
{
    OK(pthread_mutex_lock(&lock));
    int seen = *value;
    OK(pthread_mutex_unlock(&lock));
    return seen;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
    UNTIL(locked_read(&waiting) == THREADS);
    for (int i = 1; i <= THREADS; i++) {
        OK(pthread_mutex_lock(&lock));
        permits++;
        OK(pthread_cond_signal(&changed));
        OK(pthread_mutex_unlock(&lock));
        // One signal must suffice for one waiter.
        UNTIL(locked_read(&passed) == i);
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
