// While other threads wait for children of theirs, a file that is opened right after a close has the number that was closed.
#include "coop-test.h"

#define WAITERS 8

static _Atomic int at_work = WAITERS;

static void *waiter(void *unused)
{
    (void)unused;
    for (int i = 0; i < 60; i++) {
        pid_t child = SYS(fork());
        if (child == 0) _exit(i);
        ASSERT_EQ(finish(child), i);
    }
    at_work--;
    return NULL;
}

int main(void)
{
    pthread_t threads[WAITERS];
    for (int i = 0; i < WAITERS; i++) threads[i] = spawn(waiter, NULL);
    while (at_work > 0) {
        for (int i = 0; i < 1000; i++) {
            SYS(close(0));
            ASSERT_EQ(SYS(open("/dev/null", O_RDONLY)), 0);
        }
        sleep_ms(0);
    }
    for (int i = 0; i < WAITERS; i++) join(threads[i]);
    return 0;
}
