// SIGEV_THREAD_ID: the timer's signal goes to one thread, with SI_TIMER, its value and its id; other threads get nothing.
#include "coop-test.h"

static __thread volatile int ticks;
static _Atomic pid_t owner;
static _Atomic int total, stop;
static timer_t timer;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGRTMIN + 2);
    ASSERT_EQ(info->si_code, SI_TIMER);
    ASSERT_EQ(info->si_value.sival_int, 55);
    ASSERT_EQ(my_tid(), owner);
    ASSERT_GE(info->si_overrun, 0);
    ASSERT_EQ(SYS(timer_getoverrun(timer)), info->si_overrun);
    ticks++, total++;
}

static void *body(void *unused)
{
    owner = my_tid();
    while (!stop) sleep_ms(1);
    ASSERT_GE(ticks, 5);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGRTMIN + 2, &action, NULL));
    pthread_t thread = spawn(body, NULL), other = spawn(pause_for_ever, NULL);
    UNTIL(owner != 0);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGRTMIN + 2, .sigev_value.sival_int = 55};
    event.sigev_notify_thread_id = owner;
    SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec every = {{0, 2 * NS_PER_MS}, {0, 2 * NS_PER_MS}}, left;
    SYS(timer_settime(timer, 0, &every, NULL));
    SYS(timer_gettime(timer, &left));
    ASSERT_EQ(left.it_interval.tv_nsec, 2 * NS_PER_MS);
    UNTIL(total >= 5);
    SYS(timer_delete(timer));
    stop = 1;
    join(thread);
    ASSERT_EQ(ticks, 0);
    event.sigev_notify_thread_id = 0x3fffffff;
    FAILS(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
