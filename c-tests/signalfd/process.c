// Signals for the process that all threads block are read from a signalfd: from another process, kill, sigqueue with its value.
#include "coop-test.h"
#include <sys/signalfd.h>

static int descriptor;

static void *body(void *unused)
{
    struct signalfd_siginfo info;
    ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
    ASSERT_EQ(info.ssi_signo, SIGUSR1);
    ASSERT_EQ(info.ssi_code, SI_USER);
    ASSERT_EQ(info.ssi_uid, getuid());
    ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
    ASSERT_EQ(info.ssi_signo, SIGRTMIN + 2);
    ASSERT_EQ(info.ssi_code, SI_QUEUE);
    ASSERT_EQ(info.ssi_int, 41);
    ASSERT_EQ(SYS(read(descriptor, &info, sizeof info)), sizeof info);
    ASSERT_EQ(info.ssi_int, 42);
    ASSERT_EQ(info.ssi_pid, getpid());
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1), pending;
    sigaddset(&set, SIGRTMIN + 2);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    descriptor = SYS(signalfd(-1, &set, SFD_CLOEXEC));
    pthread_t thread = spawn(body, NULL);
    let_others_block();
    pid_t child = SYS(fork());
    if (child == 0) _exit(kill(getppid(), SIGUSR1));
    ASSERT_EQ(finish(child), 0);
    SYS(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 41}));
    SYS(sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 42}));
    join(thread);
    SYS(sigpending(&pending));
    ASSERT(!sigismember(&pending, SIGUSR1));
    ASSERT(!sigismember(&pending, SIGRTMIN + 2));
    return 0;
}
