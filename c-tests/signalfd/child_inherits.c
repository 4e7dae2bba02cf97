// A forked child reads its own signals from the signalfd that it inherited, and the parent its own.
#include "coop-test.h"
#include <sys/signalfd.h>

static int descriptor;

static void *body(void *unused)
{
    struct signalfd_siginfo info;
    ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
    ASSERT_EQ(info.ssi_int, (int)getpid());
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGRTMIN);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    descriptor = SYS(signalfd(-1, &set, 0));
    pthread_t thread = spawn(body, NULL);
    pid_t child = SYS(fork());
    if (child == 0) {
        // Converted anew by its first thread.
        pthread_t own = spawn(body, NULL);
        let_others_block();
        SYS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = getpid()}));
        join(own);
        _exit(3);
    }
    ASSERT_EQ(finish(child), 3);
    SYS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = getpid()}));
    join(thread);
    return 0;
}
