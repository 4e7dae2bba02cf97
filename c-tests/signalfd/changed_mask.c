// signalfd of an existing descriptor changes what it gives; what it leaves out stays pending, for sigtimedwait to take.
#include "coop-test.h"
#include <sys/signalfd.h>

static void *body(void *unused)
{
    struct signalfd_siginfo info;
    sigset_t one = signal_set(SIGUSR1), two = signal_set(SIGUSR2), pending;
    int descriptor = SYS(signalfd(-1, &one, SFD_NONBLOCK));
    SYS(kill(getpid(), SIGUSR2));
    raise(SIGUSR2);
    FAILS(read(descriptor, &info, sizeof info), EAGAIN);
    ASSERT_EQ(SYS(signalfd(descriptor, &two, 0)), descriptor);
    // The thread's own first, then the process's.
    ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
    ASSERT_EQ(info.ssi_code, SI_TKILL);
    siginfo_t taken;
    struct timespec none = {0, 0};
    ASSERT_EQ(SYS(sigtimedwait(&two, &taken, &none)), SIGUSR2);
    ASSERT_EQ(taken.si_code, SI_USER);
    FAILS(read(descriptor, &info, sizeof info), EAGAIN);
    FAILS(sigtimedwait(&two, &taken, &none), EAGAIN);
    SYS(sigpending(&pending));
    ASSERT(!sigismember(&pending, SIGUSR2));
    SYS(close(descriptor));
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1);
    sigaddset(&set, SIGUSR2);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t other = spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    body(NULL);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
