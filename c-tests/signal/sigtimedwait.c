// sigtimedwait: times out with EAGAIN, is ended by a handler of another signal with EINTR, and takes what came before.
#include "coop-test.h"

static _Atomic int waits, done;

static void handler(int number)
{
    (void)number;
}

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGUSR1);
    siginfo_t info;
    struct timespec soon = {0, 20 * NS_PER_MS}, bad = {0, -1}, none = {0, 0};
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(sigtimedwait(&set, &info, &soon), EAGAIN);
    ASSERT_GE(ms_since(start), 20);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    FAILS(sigtimedwait(&set, &info, &bad), EINVAL);
    OK(pthread_sigqueue(pthread_self(), SIGUSR1, (union sigval){.sival_int = 9}));
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &none)), SIGUSR1);
    ASSERT_EQ(info.si_value.sival_int, 9);
    // SA_RESTART does not restart it.
    waits = 1;
    FAILS(sigtimedwait(&set, &info, &(struct timespec){30, 0}), EINTR);
    done = 1;
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1);
    on_signal(SIGUSR2, handler, SA_RESTART);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t thread = spawn(body, NULL);
    UNTIL(waits);
    while (!done) {
        OK(pthread_kill(thread, SIGUSR2));
        sleep_ms(2);
    }
    join(thread);
    return 0;
}
