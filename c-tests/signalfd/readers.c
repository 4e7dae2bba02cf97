// Many threads that wait on one signalfd get each queued signal once.
#include "coop-test.h"
#include <sys/signalfd.h>

#define THREADS 8
#define EACH 100

static int descriptor;
static _Atomic int seen[THREADS * EACH];

static void *body(void *unused)
{
    for (int i = 0; i < EACH; i++) {
        struct signalfd_siginfo info;
        ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
        seen[info.ssi_int]++;
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    sigset_t set = signal_set(SIGRTMIN);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    descriptor = SYS(signalfd(-1, &set, 0));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < THREADS * EACH; i++)
        SYS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < THREADS * EACH; i++) ASSERT_EQ(seen[i], 1);
    return 0;
}
