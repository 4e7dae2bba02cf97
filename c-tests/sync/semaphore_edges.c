// sem_trywait, sem_getvalue, overflow, and a wait that a signal's handler ends with EINTR.
#include "coop-test.h"

static sem_t semaphore;
static _Atomic int done;

static void handler(int number)
{
    (void)number;
}

static void *interrupted(void *unused)
{
    (void)unused;
    FAILS(sem_wait(&semaphore), EINTR);
    done = 1;
    return NULL;
}

int main(void)
{
    int value;
    FAILS(sem_init(&semaphore, 0, SEM_VALUE_MAX + 1u), EINVAL);
    SYS(sem_init(&semaphore, 0, SEM_VALUE_MAX));
    FAILS(sem_post(&semaphore), EOVERFLOW);
    SYS(sem_trywait(&semaphore));
    SYS(sem_getvalue(&semaphore, &value));
    ASSERT_EQ(value, SEM_VALUE_MAX - 1);
    SYS(sem_init(&semaphore, 0, 1));
    SYS(sem_trywait(&semaphore));
    FAILS(sem_trywait(&semaphore), EAGAIN);
    struct timespec bad = {.tv_nsec = -1};
    FAILS(sem_timedwait(&semaphore, &bad), EINVAL);

    on_signal(SIGUSR1, handler, 0);
    pthread_t thread = spawn(interrupted, NULL);
    while (!done) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(2);
    }
    join(thread);
    SYS(sem_getvalue(&semaphore, &value));
    ASSERT_EQ(value, 0);
    return 0;
}
