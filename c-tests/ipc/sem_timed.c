// semtimedop says EAGAIN when its time is over, not before, and lets others run meanwhile.
#include "semaphores.h"

static volatile int runs = 1;
static volatile long turns;

static void *runner(void *unused)
{
    while (runs) {
        turns++;
        sleep_ms(1);
    }
    return unused;
}

int main(void)
{
    new_set(1);
    pthread_t thread = spawn(runner, NULL);
    struct sembuf down = {.sem_op = -1};
    struct timespec none = {0}, some = {.tv_nsec = 50 * NS_PER_MS}, bad = {.tv_nsec = -1};
    FAILS(semtimedop(set, &down, 1, &none), EAGAIN);
    FAILS(semtimedop(set, &down, 1, &bad), EINVAL);
    long before = turns;
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(semtimedop(set, &down, 1, &some), EAGAIN);
    ASSERT_GE(ms_since(start), 50);
    ASSERT_GT(turns, before);
    SYS(change(0, 1, 0));
    SYS(semtimedop(set, &down, 1, &none));
    runs = 0;
    join(thread);
    return 0;
}
