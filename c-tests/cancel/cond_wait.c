// A thread cancelled in pthread_cond_wait holds the mutex again while its cleanup handler runs.
#include "coop-test.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static sem_t holding;
static int cleaned;

static void unlock(void *unused)
{
    (void)unused;
    GIVES(pthread_mutex_trylock(&lock), EBUSY);
    cleaned++;
    OK(pthread_mutex_unlock(&lock));
}

static void *body(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(&lock));
    pthread_cleanup_push(unlock, NULL);
    SYS(sem_post(&holding));
    for (;;) OK(pthread_cond_wait(&never, &lock));
    pthread_cleanup_pop(0);
    return NULL;
}

int main(void)
{
    SYS(sem_init(&holding, 0, 0));
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 5; i++) SYS(sem_wait(&holding));
    for (int i = 0; i < 5; i++) OK(pthread_cancel(threads[i]));
    for (int i = 0; i < 5; i++) ASSERT_PTR(join(threads[i]), PTHREAD_CANCELED);
    OK(pthread_mutex_lock(&lock));
    ASSERT_EQ(cleaned, 5);
    OK(pthread_mutex_unlock(&lock));
    return 0;
}
