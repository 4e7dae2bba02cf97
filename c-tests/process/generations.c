// Ten generations: each child makes threads, forks from one of them, and its threads work; every status comes through.
#include "coop-test.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int sum, generation;

static void *adds(void *argument)
{
    for (int i = 0; i < 50; i++) {
        OK(pthread_mutex_lock(&lock));
        sum += (int)(intptr_t)argument;
        OK(pthread_mutex_unlock(&lock));
        sched_yield();
    }
    return NULL;
}

static void *lives(void *unused)
{
    pthread_t threads[4];
    (void)unused;
    sum = 0;
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(adds, (void *)i);
    for (int i = 0; i < 4; i++) join(threads[i]);
    ASSERT_EQ(sum, 300);
    ASSERT_EQ(my_tid() == getpid(), generation > 0);
    if (++generation > 10) return NULL;
    pid_t parent = getpid(), child = SYS(fork());
    if (child == 0) {
        ASSERT_EQ(getppid(), parent);
        lives(NULL);
        _exit(7);
    }
    ASSERT_EQ(finish(child), 7);
    return NULL;
}

int main(void)
{
    join(spawn(lives, NULL));
    return 0;
}
