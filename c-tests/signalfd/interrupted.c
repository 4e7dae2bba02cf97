// A read of a signalfd is interrupted by a handler of another signal, or restarted, like any read.
#include "coop-test.h"
#include <sys/signalfd.h>

static int descriptor;
static _Atomic int handled, done;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *body(void *unused)
{
    struct signalfd_siginfo info;
    FAILS(read(descriptor, &info, sizeof info), EINTR);
    done++;
    ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
    ASSERT_EQ(info.ssi_signo, SIGUSR1);
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    descriptor = SYS(signalfd(-1, &set, 0));
    on_signal(SIGUSR2, handler, 0);
    pthread_t thread = spawn(body, NULL);
    while (!done) {
        OK(pthread_kill(thread, SIGUSR2));
        sleep_ms(2);
    }
    on_signal(SIGUSR2, handler, SA_RESTART);
    for (int i = 0; i < 5; i++) {
        OK(pthread_kill(thread, SIGUSR2));
        sleep_ms(2);
    }
    OK(pthread_kill(thread, SIGUSR1));
    join(thread);
    return 0;
}
