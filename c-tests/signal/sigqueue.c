// sigqueue and pthread_sigqueue carry a value; queued real-time signals arrive one by one, in order.
#include "coop-test.h"

static __thread volatile int got;
static _Atomic int total;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGRTMIN + 1);
    ASSERT_EQ(info->si_code, SI_QUEUE);
    ASSERT_EQ(info->si_pid, getpid());
    ASSERT_EQ(info->si_value.sival_int, got + 1);
    got = got + 1;
    total++;
}

static void *body(void *unused)
{
    (void)unused;
    sigset_t set = signal_set(SIGRTMIN + 1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (int i = 1; i <= 5; i++) {
        union sigval value = {.sival_int = i};
        OK(pthread_sigqueue(pthread_self(), SIGRTMIN + 1, value));
    }
    ASSERT_EQ(got, 0);
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(got, 5);
    return NULL;
}

int main(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    SYS(sigaction(SIGRTMIN + 1, &action, NULL));
    pthread_t one = spawn(body, NULL), two = spawn(body, NULL);
    join(one);
    join(two);
    union sigval value = {.sival_int = 1};
    SYS(sigqueue(getpid(), SIGRTMIN + 1, value));
    UNTIL(total == 11);
    return 0;
}
