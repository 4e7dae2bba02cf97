// pthread_getcpuclockid gives the clock of another thread: it counts while that one computes, stands while it waits, and is gone with it.
#include "cpu.h"

static atomic_int stop;
static clockid_t clock_of_first;
static sem_t park, parked;

static void *computes(void *unused)
{
    (void)unused;
    while (!stop) work();
    SYS(sem_post(&parked));
    SYS(sem_wait(&park));
    return NULL;
}

static void *reads(void *unused)
{
    (void)unused;
    ASSERT_GT(now_ns(clock_of_first), 0);
    return NULL;
}

int main(void)
{
    SYS(sem_init(&park, 0, 0));
    SYS(sem_init(&parked, 0, 0));
    clock_of_first = clock_of(pthread_self());
    ASSERT_EQ(clock_of_first, clock_number(getpid(), 2));
    pthread_t thread = spawn(computes, NULL);
    clockid_t clock = clock_of(thread);
    int64_t last = 0;
    do {
        int64_t now = now_ns(clock);
        ASSERT_GE(now, last);
        last = now;
        sleep_ms(1);
    } while (last < 50 * NS_PER_MS);
    stop = 1;
    SYS(sem_wait(&parked));
    let_others_block();
    last = now_ns(clock);
    sleep_ms(5);
    ASSERT_EQ(now_ns(clock), last);
    join(spawn(reads, NULL));
    SYS(sem_post(&park));
    join(thread);
    struct timespec time;
    // (A moment later: who joins is told a little before the kernel is done with the thread.)
    UNTIL(clock_gettime(clock, &time) == -1);
    ASSERT_EQ(errno, EINVAL);
    return 0;
}
