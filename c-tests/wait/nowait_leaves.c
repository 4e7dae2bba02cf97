// waitid with WNOWAIT tells of a child's end and leaves it: the next wait gets it, and the one after that nothing.
#include "coop-test.h"

static pid_t child;

static void *peeks(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        siginfo_t info;
        memset(&info, 0, sizeof info);
        SYS(waitid(P_PID, child, &info, WEXITED | WNOWAIT));
        ASSERT_EQ(info.si_pid, child);
        ASSERT_EQ(info.si_code, CLD_EXITED);
        ASSERT_EQ(info.si_status, 33);
    }
    return NULL;
}

int main(void)
{
    child = SYS(fork());
    if (child == 0) {
        sleep_ms(20);
        _exit(33);
    }
    pthread_t one = spawn(peeks, NULL), two = spawn(peeks, NULL);
    join(one);
    join(two);
    ASSERT_EQ(finish(child), 33);
    FAILS(waitpid(child, NULL, 0), ECHILD);
    return 0;
}
