// A child forked by a thread is that thread alone: its stack, its __thread values, main thread of its process; it can wait.
#include "coop-test.h"

static __thread int mine;
static sem_t never;

static void *blocked(void *unused)
{
    (void)unused;
    SYS(sem_wait(&never));
    FAIL("a thread that waits for ever went on");
}

static void *forker(void *argument)
{
    int local = mine = (int)(intptr_t)argument;
    pthread_t self = pthread_self();
    pid_t parent = getpid(), child = SYS(fork());
    if (child == 0) {
        ASSERT_EQ(local, (intptr_t)argument);
        ASSERT_EQ(mine, local);
        ASSERT_EQ(pthread_self(), self);
        ASSERT_EQ(getppid(), parent);
        ASSERT_EQ(my_tid(), getpid());
        sleep_ms(5);
        struct timespec soon = in_ms(CLOCK_REALTIME, 5);
        FAILS(sem_timedwait(&never, &soon), ETIMEDOUT);
        _exit(local);
    }
    ASSERT_EQ(finish(child), local);
    ASSERT_EQ(getpid(), parent);
    return NULL;
}

int main(void)
{
    pthread_t threads[5];
    SYS(sem_init(&never, 0, 0));
    for (int i = 0; i < 5; i++) spawn(blocked, NULL);
    let_others_block();
    for (intptr_t i = 0; i < 5; i++) threads[i] = spawn(forker, (void *)(i + 1));
    for (int i = 0; i < 5; i++) join(threads[i]);
    return 0;
}
