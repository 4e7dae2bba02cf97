// While the signal of a timer on a CPU clock is blocked, its expirations are counted, not queued; a signalfd and sigtimedwait say how many.
#include "../time/cpu.h"
#include <sys/signalfd.h>

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGRTMIN + 3);
    siginfo_t info;
    timer_t timer;
    struct timespec none = {0, 0};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 3, .sigev_value.sival_int = 9};
    struct itimerspec every = {{0, 2 * NS_PER_MS}, {0, 2 * NS_PER_MS}}, never = {0};
    SYS(timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer));
    SYS(timer_settime(timer, 0, &every, NULL));
    compute_ms(60);
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGRTMIN + 3);
    ASSERT_EQ(info.si_code, SI_TIMER);
    ASSERT_EQ(info.si_value.sival_int, 9);
    ASSERT_GE(info.si_overrun, 10);
    ASSERT_LE(info.si_overrun, 1000);
    ASSERT_EQ(SYS(timer_getoverrun(timer)), info.si_overrun);

    int fd = SYS(signalfd(-1, &set, SFD_NONBLOCK));
    struct signalfd_siginfo read_info;
    compute_ms(60);
    ASSERT_EQ(SYS(read(fd, &read_info, sizeof read_info)), (long)sizeof read_info);
    ASSERT_EQ(read_info.ssi_code, SI_TIMER);
    ASSERT_EQ(read_info.ssi_int, 9);
    SYS(timer_settime(timer, 0, &never, NULL));
    // At most one more was pending: none is queued for each expiration.
    sigtimedwait(&set, &info, &none);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    SYS(close(fd));
    SYS(timer_delete(timer));
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGRTMIN + 3);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
