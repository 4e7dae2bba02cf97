// clock_nanosleep by another thread's CPU clock lasts until that thread has used so much, and a signal ends it.
#include "cpu.h"

static atomic_int stop;
static sem_t park;
static clockid_t clock_of_parked;

static void *computes(void *unused)
{
    (void)unused;
    while (!stop) work();
    return NULL;
}

static void *is_parked(void *unused)
{
    (void)unused;
    SYS(sem_wait(&park));
    return NULL;
}

static void nothing(int number)
{
    (void)number;
}

static void *sleeps(void *returned)
{
    struct timespec left = {0, 0}, hour = {3600, 0};
    GIVES(clock_nanosleep(clock_of_parked, 0, &hour, &left), EINTR);
    ASSERT_GE(left.tv_sec, 3590);
    ASSERT_LE(left.tv_sec, 3600);
    *(atomic_int *)returned = 1;
    return NULL;
}

int main(void)
{
    SYS(sem_init(&park, 0, 0));
    pthread_t thread = spawn(computes, NULL);
    clockid_t clock = clock_of(thread);
    int64_t before = now_ns(clock);
    struct timespec for_30 = to_timespec(30 * NS_PER_MS);
    OK(clock_nanosleep(clock, 0, &for_30, NULL));
    ASSERT_GE(now_ns(clock), before + 30 * NS_PER_MS);
    before = now_ns(clock);
    struct timespec until = in_ms(clock, 20);
    OK(clock_nanosleep(clock, TIMER_ABSTIME, &until, NULL));
    ASSERT_GE(now_ns(clock), before + 20 * NS_PER_MS);
    stop = 1;
    join(thread);

    on_signal(SIGUSR1, nothing, 0);
    pthread_t parked = spawn(is_parked, NULL);
    clock_of_parked = clock_of(parked);
    atomic_int returned = 0;
    pthread_t sleeper = spawn(sleeps, &returned);
    while (!returned) {
        sleep_ms(5);
        if (!returned) OK(pthread_kill(sleeper, SIGUSR1));
    }
    join(sleeper);
    SYS(sem_post(&park));
    join(parked);
    return 0;
}
