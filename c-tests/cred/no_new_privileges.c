// PR_SET_NO_NEW_PRIVS by main holds for main's children of every kind, and is told back to it.
#include "cred.h"
#include <sys/prctl.h>

int main(void)
{
    spawn(pause_for_ever, NULL);
    ASSERT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    ASSERT_EQ(system("grep -q 'NoNewPrivs:.*0' /proc/self/status"), 0);
    SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    for (int i = 0; i < 5; i++) {
        ASSERT_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
        sleep_ms(1);
    }
    ASSERT_EQ(system("grep -q 'NoNewPrivs:.*1' /proc/self/status"), 0);
    pid_t child = SYS(fork());
    if (child == 0) _exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    ASSERT_EQ(finish(child), 1);
    FAILS(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    return 0;
}
