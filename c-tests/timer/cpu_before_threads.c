// A timer on the main thread's CPU clock that is made, or armed, before there are threads goes on measuring the main thread.
#include "../time/cpu.h"

static volatile int ticks, alarms;
static _Atomic int stop;
static pid_t main_id;

static void tick(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    ASSERT_EQ(info->si_code, SI_TIMER);
    ASSERT_EQ(my_tid(), main_id);
    ticks++;
}

static void alarmed(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    ASSERT_EQ(info->si_value.sival_int, 31);
    alarms++;
}

static void *computes(void *unused)
{
    while (!stop) work();
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    timer_t every, once, later;
    struct itimerspec often = {{0, 10 * NS_PER_MS}, {0, 10 * NS_PER_MS}}, soon = {{0, 0}, {0, 150 * NS_PER_MS}}, left;
    SYS(sigaction(SIGPROF, &action, NULL));
    action.sa_sigaction = alarmed;
    SYS(sigaction(SIGUSR2, &action, NULL));
    main_id = my_tid();
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
    event.sigev_notify_thread_id = main_id;
    SYS(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &every));
    struct sigevent to_process = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 31};
    SYS(timer_create(clock_of(pthread_self()), &to_process, &once));
    SYS(timer_create(CLOCK_THREAD_CPUTIME_ID, &to_process, &later));
    SYS(timer_settime(every, 0, &often, NULL));
    int64_t armed = my_cpu();
    SYS(timer_settime(once, 0, &soon, NULL));
    compute_ms(50);

    pthread_t other = spawn(computes, NULL);
    SYS(timer_gettime(once, &left));
    ASSERT_GT(left.it_value.tv_nsec, 0);
    ASSERT_LE(left.it_value.tv_nsec, 100 * NS_PER_MS);
    SYS(timer_gettime(every, &left));
    ASSERT_EQ(left.it_interval.tv_nsec, 10 * NS_PER_MS);
    // Only the other one computes: for main none comes (but for what was due).
    sleep_ms(10);
    int before = ticks;
    sleep_ms(60);
    ASSERT_LE(ticks, before + 1);
    ASSERT_EQ(alarms, 0);
    while (ticks < before + 3) work();
    while (alarms < 1) work();
    ASSERT_GE(my_cpu(), armed + 150 * NS_PER_MS);
    SYS(timer_settime(later, 0, &soon, NULL));
    while (alarms < 2) work();
    stop = 1;
    join(other);
    SYS(timer_delete(every));
    SYS(timer_delete(once));
    return 0;
}
