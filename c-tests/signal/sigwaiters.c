// Several threads in sigwaitinfo: each signal of the process's goes to one of them, a thread's own to that thread.
#include "coop-test.h"

#define THREADS 4
#define EACH 50

static _Atomic int seen[THREADS * EACH], own[THREADS], ready;

static void *body(void *argument)
{
    intptr_t me = (intptr_t)argument;
    sigset_t set = signal_set(SIGRTMIN);
    sigaddset(&set, SIGRTMIN + 1);
    siginfo_t info;
    ready++;
    for (;;) {
        int number = sigwaitinfo(&set, &info);
        // Linux says so when another thread was faster.
        if (number == -1 && errno == EINTR) continue;
        if (number == SIGRTMIN) seen[info.si_value.sival_int]++;
        else {
            ASSERT_EQ(number, SIGRTMIN + 1);
            ASSERT_EQ(info.si_value.sival_int, me);
            own[me]++;
            return NULL;
        }
    }
}

int main(void)
{
    pthread_t threads[THREADS];
    sigset_t set = signal_set(SIGRTMIN);
    sigaddset(&set, SIGRTMIN + 1);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void *)i);
    UNTIL(ready == THREADS);
    for (int i = 0; i < THREADS * EACH; i++)
        SYS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
    for (int i = 0; i < THREADS * EACH; i++) UNTIL(seen[i] == 1);
    for (int i = 0; i < THREADS; i++)
        OK(pthread_sigqueue(threads[i], SIGRTMIN + 1, (union sigval){.sival_int = i}));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < THREADS; i++) ASSERT_EQ(own[i], 1);
    for (int i = 0; i < THREADS * EACH; i++) ASSERT_EQ(seen[i], 1);
    return 0;
}
