// Named semaphores: O_EXCL, one object for all who open the name, counted across processes, gone for new ones after sem_unlink.
// libs: -lrt
#include "shared.h"

static sem_t *named;

static void *waiter(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++) SYS(sem_wait(named));
    return NULL;
}

int main(void)
{
    char name[64];
    snprintf(name, sizeof name, "/coop-test-%d", getpid());
    named = sem_open(name, O_CREAT | O_EXCL, 0600, 2);
    ASSERT(named != SEM_FAILED);
    ASSERT(sem_open(name, O_CREAT | O_EXCL, 0600, 2) == SEM_FAILED);
    ASSERT_EQ(errno, EEXIST);
    ASSERT_PTR(sem_open(name, 0), named);
    pthread_t thread = spawn(waiter, NULL);
    pid_t child = SYS(fork());
    if (child == 0) {
        sem_t *again = sem_open(name, 0);
        ASSERT(again != SEM_FAILED);
        for (int i = 0; i < 8; i++) SYS(sem_post(again));
        _exit(0);
    }
    join(thread);
    ASSERT_EQ(finish(child), 0);
    FAILS(sem_trywait(named), EAGAIN);
    SYS(sem_unlink(name));
    ASSERT(sem_open(name, 0) == SEM_FAILED);
    ASSERT_EQ(errno, ENOENT);
    SYS(sem_post(named));
    SYS(sem_wait(named));
    SYS(sem_close(named));
    return 0;
}
