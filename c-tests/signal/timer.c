// POSIX timers that signal tick while threads wait, and tell who they are.
#include "coop-test.h"

static _Atomic int ticks;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGRTMIN);
    ASSERT_EQ(info->si_code, SI_TIMER);
    ASSERT_EQ(info->si_value.sival_int, 77);
    ticks++;
}

int main(void)
{
    timer_t timer;
    struct sigaction action;
    struct sigevent event;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    SYS(sigaction(SIGRTMIN, &action, NULL));
    memset(&event, 0, sizeof event);
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN;
    event.sigev_value.sival_int = 77;
    pthread_t thread = spawn(pause_for_ever, NULL);
    SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec often = {{0, 5 * NS_PER_MS}, {0, 5 * NS_PER_MS}};
    SYS(timer_settime(timer, 0, &often, NULL));
    UNTIL(ticks >= 5);
    SYS(timer_delete(timer));
    OK(pthread_cancel(thread));
    join(thread);
    return 0;
}
