// 100,000 threads wait at once in one process, more than the kernel would carry here.
// only: preloaded
// timeout: 60
#include "coop-test.h"

#define THREADS 100000

static sem_t arrived, go;

static void *body(void *argument)
{
    SYS(sem_post(&arrived));
    SYS(sem_wait(&go));
    return argument;
}

int main(void)
{
    static pthread_t threads[THREADS];
    SYS(sem_init(&arrived, 0, 0));
    SYS(sem_init(&go, 0, 0));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn_small(body, (void *)i);
    for (int i = 0; i < THREADS; i++) SYS(sem_wait(&arrived));
    for (int i = 0; i < THREADS; i++) SYS(sem_post(&go));
    for (intptr_t i = 0; i < THREADS; i++) ASSERT_EQ((intptr_t)join(threads[i]), i);
    return 0;
}
