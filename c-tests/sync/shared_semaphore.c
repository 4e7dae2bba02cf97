// Semaphores in shared memory count across processes, whichever side waits; sem_getvalue and sem_trywait agree.
#include "shared.h"

enum { ROUNDS = 200 };

struct pair {
    sem_t ping, pong;
};

static struct pair *pair;

static void *server(void *unused)
{
    (void)unused;
    for (int i = 0; i < ROUNDS; i++) {
        SYS(sem_wait(&pair->ping));
        SYS(sem_post(&pair->pong));
    }
    return NULL;
}

int main(void)
{
    pair = shared_memory(sizeof *pair);
    SYS(sem_init(&pair->ping, 1, 0));
    SYS(sem_init(&pair->pong, 1, 0));
    pid_t child = SYS(fork());
    if (child == 0) {
        server(NULL);
        join(spawn(server, NULL));
        _exit(0);
    }
    have_threads();
    for (int i = 0; i < 2 * ROUNDS; i++) {
        SYS(sem_post(&pair->ping));
        SYS(sem_wait(&pair->pong));
    }
    ASSERT_EQ(finish(child), 0);
    int value = -1;
    SYS(sem_getvalue(&pair->ping, &value));
    ASSERT_EQ(value, 0);
    FAILS(sem_trywait(&pair->pong), EAGAIN);
    struct timespec soon = in_ms(CLOCK_REALTIME, 20);
    FAILS(sem_timedwait(&pair->pong, &soon), ETIMEDOUT);
    return 0;
}
