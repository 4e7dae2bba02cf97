// 100 threads share three permits: never more than three inside, everyone gets in.
#include "coop-test.h"

static sem_t permits;
static _Atomic int inside, entered;

static void *body(void *unused)
{
    (void)unused;
    for (int i = 0; i < 5; i++) {
        SYS(sem_wait(&permits));
        ASSERT_LE(++inside, 3);
        sched_yield();
        entered++;
        inside--;
        SYS(sem_post(&permits));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[100];
    SYS(sem_init(&permits, 0, 3));
    for (int i = 0; i < 100; i++) threads[i] = spawn_small(body, NULL);
    for (int i = 0; i < 100; i++) join(threads[i]);
    ASSERT_EQ(entered, 500);
    return 0;
}
