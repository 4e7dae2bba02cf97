// Expirations while the timer's signal is pending are counted, not queued: si_overrun and timer_getoverrun say how many.
#include "coop-test.h"

static void *body(void *argument)
{
    sigset_t set = signal_set(SIGRTMIN);
    siginfo_t info;
    timer_t timer;
    struct timespec none = {0, 0};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 3};
    if (argument) {
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_notify_thread_id = my_tid();
    }
    SYS(timer_create(CLOCK_MONOTONIC, &event, &timer));
    struct itimerspec every = {{0, NS_PER_MS / 2}, {0, NS_PER_MS / 2}}, never = {{0, 0}, {0, 0}};
    SYS(timer_settime(timer, 0, &every, NULL));
    sleep_ms(20);
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGRTMIN);
    ASSERT_EQ(info.si_code, SI_TIMER);
    ASSERT_EQ(info.si_value.sival_int, 3);
    ASSERT_GE(info.si_overrun, 10);
    ASSERT_EQ(SYS(timer_getoverrun(timer)), info.si_overrun);
    SYS(timer_settime(timer, 0, &never, NULL));
    // At most one more was pending: none is queued for each expiration.
    sigtimedwait(&set, &info, &none);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    SYS(timer_delete(timer));
    return NULL;
}

int main(void)
{
    sigset_t set = signal_set(SIGRTMIN);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (intptr_t to_thread = 0; to_thread < 2; to_thread++) {
        join(spawn(body, (void *)to_thread));
        body((void *)to_thread);
    }
    return 0;
}
