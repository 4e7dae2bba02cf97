// A thread that has always waited right after it woke another, and then once does not: the other runs all the same.
#include "coop-test.h"

static sem_t ping, pong;
static _Atomic int last, answered;

static void *other(void *argument)
{
    (void)argument;
    for (;;) {
        while (sem_wait(&ping) != 0) ASSERT_EQ(errno, EINTR);
        if (last) break;
        SYS(sem_post(&pong));
    }
    answered = 1;
    return NULL;
}

int main(void)
{
    SYS(sem_init(&ping, 0, 0));
    SYS(sem_init(&pong, 0, 0));
    for (int round = 0; round < 20; round++) {
        last = answered = 0;
        pthread_t thread = spawn(other, NULL);
        for (int i = 0; i < 500; i++) {
            SYS(sem_post(&ping));
            SYS(sem_wait(&pong));
        }
        last = 1;
        SYS(sem_post(&ping));
        // No call from here on until the other has run.
        while (!answered) __builtin_ia32_pause();
        join(thread);
    }
    return 0;
}
