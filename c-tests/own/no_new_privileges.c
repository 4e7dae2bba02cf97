// PR_SET_NO_NEW_PRIVS by a thread holds for it, for the threads that it makes and for its children, and for nobody else.
#include "own.h"

static int has(void)
{
    return SYS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
}

static void *has_it(void *unused)
{
    ASSERT_EQ(has(), 1);
    return unused;
}

static void *sets(void *unused)
{
    ASSERT_EQ(has(), 0);
    SYS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    for (int i = 0; i < 3; i++) {
        ASSERT_EQ(has(), 1);
        sleep_ms(1);
    }
    join(spawn(has_it, NULL));
    ASSERT_EQ(system("grep -q 'NoNewPrivs:.*1' /proc/self/status"), 0);
    pid_t child = SYS(fork());
    if (child == 0) _exit(has());
    int status;
    SYS(waitpid(child, &status, 0));
    ASSERT_EQ(WEXITSTATUS(status), 1);
    return unused;
}

int main(void)
{
    if (has()) SKIP("PR_SET_NO_NEW_PRIVS is set");
    pthread_t one = spawn(sets, NULL), two = spawn(sets, NULL);
    for (int i = 0; i < 5; i++) {
        ASSERT_EQ(has(), 0);
        sleep_ms(1);
    }
    join(one);
    join(two);
    ASSERT_EQ(has(), 0);
    ASSERT_EQ(system("grep -q 'NoNewPrivs:.*0' /proc/self/status"), 0);
    return 0;
}
