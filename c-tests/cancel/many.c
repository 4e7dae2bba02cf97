// Hundreds of threads in different waits, cancelled at once by several others: each ends once.
#include "coop-test.h"

#define THREADS 300

static pthread_t threads[THREADS];
static int ends[2];
static _Atomic int begun, cleaned;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static void unlock(void *unused)
{
    (void)unused;
    OK(pthread_mutex_unlock(&mutex));
}

static void cleanup(void *unused)
{
    (void)unused;
    cleaned++;
}

static void *body(void *argument)
{
    char byte;
    pthread_cleanup_push(cleanup, NULL);
    begun++;
    switch ((intptr_t)argument % 3) {
    case 0: read(ends[0], &byte, 1) == 1 ? abort() : (void)0; break;
    case 1: sleep(3600); break;
    case 2:
        OK(pthread_mutex_lock(&mutex));
        pthread_cleanup_push(unlock, NULL);
        for (;;) pthread_cond_wait(&condition, &mutex);
        pthread_cleanup_pop(1);
        break;
    }
    pthread_cleanup_pop(1);
    FAIL("not cancelled");
}

static void *canceller(void *argument)
{
    for (int i = (int)(intptr_t)argument; i < THREADS; i += 3) OK(pthread_cancel(threads[i]));
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn_small(body, (void *)i);
    UNTIL(begun == THREADS);
    pthread_t cancellers[3];
    for (intptr_t i = 0; i < 3; i++) cancellers[i] = spawn(canceller, (void *)i);
    for (int i = 0; i < 3; i++) join(cancellers[i]);
    for (int i = 0; i < THREADS; i++) ASSERT_PTR(join(threads[i]), PTHREAD_CANCELED);
    ASSERT_EQ(cleaned, THREADS);
    return 0;
}
