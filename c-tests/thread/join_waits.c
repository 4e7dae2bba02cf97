// join waits for a thread that itself waits, and others run meanwhile.
#include "coop-test.h"

static sem_t go;

static void *waiter(void *unused)
{
    (void)unused;
    SYS(sem_wait(&go));
    return &go;
}

static void *joiner(void *argument)
{
    return join(*(pthread_t *)argument);
}

int main(void)
{
    SYS(sem_init(&go, 0, 0));
    pthread_t first = spawn(waiter, NULL);
    pthread_t second = spawn(joiner, &first);
    pthread_t third = spawn(joiner, &second);
    let_others_block();
    SYS(sem_post(&go));
    ASSERT_PTR(join(third), &go);
    return 0;
}
