// A signal for one thread is read from a signalfd by that thread alone; another one that waits on it gets nothing.
#include "coop-test.h"
#include <sys/signalfd.h>

static int descriptor, ends[2];
static _Atomic int reading;

static void *body(void *argument)
{
    struct signalfd_siginfo info[3];
    reading++;
    ASSERT_EQ(SYS(read(descriptor, info, sizeof info)), sizeof info[0]);
    ASSERT_EQ(info[0].ssi_signo, SIGUSR1);
    ASSERT_EQ(info[0].ssi_code, SI_TKILL);
    ASSERT_EQ(info[0].ssi_pid, getpid());
    // Two that were pending before the read come in one.
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    ASSERT_EQ(SYS(read(descriptor, info, sizeof info)), 2 * sizeof info[0]);
    ASSERT_EQ(info[0].ssi_signo, SIGUSR2);
    ASSERT_EQ(info[1].ssi_signo, SIGRTMIN);
    ASSERT_EQ(info[1].ssi_int, (int)(intptr_t)argument);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    sigset_t set = signal_set(SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    descriptor = SYS(signalfd(-1, &set, 0));
    SYS(pipe(ends));
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(body, (void *)i);
    UNTIL(reading == 4);
    let_others_block();
    for (int i = 3; i >= 0; i--) OK(pthread_kill(threads[i], SIGUSR1));
    let_others_block();
    for (int i = 0; i < 4; i++) {
        OK(pthread_sigqueue(threads[i], SIGRTMIN, (union sigval){.sival_int = i}));
        OK(pthread_kill(threads[i], SIGUSR2));
    }
    SYS(write(ends[1], "1234", 4));
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
