// SIGCHLD says who ended and how: pid, status, and CLD_EXITED or CLD_KILLED; sigwaitinfo gives the same.
#include "coop-test.h"

static void *body(void *unused)
{
    sigset_t set = signal_set(SIGCHLD);
    siginfo_t info;
    pid_t child = SYS(fork());
    if (child == 0) _exit(21);
    ASSERT_EQ(SYS(sigwaitinfo(&set, &info)), SIGCHLD);
    ASSERT_EQ(info.si_pid, child);
    ASSERT_EQ(info.si_code, CLD_EXITED);
    ASSERT_EQ(info.si_status, 21);
    ASSERT_EQ(info.si_uid, getuid());
    ASSERT_EQ(finish(child), 21);
    child = SYS(fork());
    if (child == 0) for (;;) pause();
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(SYS(sigwaitinfo(&set, &info)), SIGCHLD);
    ASSERT_EQ(info.si_pid, child);
    ASSERT_EQ(info.si_code, CLD_KILLED);
    ASSERT_EQ(info.si_status, SIGKILL);
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGCHLD);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t other = spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    body(NULL);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
