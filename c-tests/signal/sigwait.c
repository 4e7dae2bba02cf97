// A thread waits for signals with sigwait, sigwaitinfo and sigtimedwait; sent to the process or to the thread.
#include "coop-test.h"

static sigset_t set;
static _Atomic int caught;

static void *waiter(void *unused)
{
    (void)unused;
    int number;
    siginfo_t info;
    OK(sigwait(&set, &number));
    ASSERT_EQ(number, SIGUSR1);
    caught = 1;
    ASSERT_EQ(SYS(sigwaitinfo(&set, &info)), SIGUSR2);
    ASSERT_EQ(info.si_signo, SIGUSR2);
    ASSERT_EQ(info.si_pid, getpid());
    caught = 2;
    struct timespec time = to_timespec(20 * NS_PER_MS);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(sigtimedwait(&set, &info, &time), EAGAIN);
    ASSERT_GE(ms_since(start), 20);
    caught = 3;
    time.tv_sec = 20;
    ASSERT_EQ(SYS(sigtimedwait(&set, &info, &time)), SIGUSR1);
    return NULL;
}

int main(void)
{
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t thread = spawn(waiter, NULL);
    let_others_block();
    SYS(kill(getpid(), SIGUSR1));
    UNTIL(caught == 1);
    OK(pthread_kill(thread, SIGUSR2));
    UNTIL(caught == 3);
    SYS(kill(getpid(), SIGUSR1));
    join(thread);
    return 0;
}
