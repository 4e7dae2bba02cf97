// What wait tells a thread: exit statuses, signals, stops and continues.
#include "coop-test.h"

static void *body(void *unused)
{
    (void)unused;
    int status;
    pid_t child = SYS(fork());
    if (child == 0) _exit(255);
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT_EQ(status, 0xff00);

    child = SYS(fork());
    if (child == 0)
        for (;;) pause();
    SYS(kill(child, SIGSTOP));
    ASSERT_EQ(SYS(waitpid(child, &status, WUNTRACED)), child);
    ASSERT(WIFSTOPPED(status));
    ASSERT_EQ(WSTOPSIG(status), SIGSTOP);
    SYS(kill(child, SIGCONT));
    ASSERT_EQ(SYS(waitpid(child, &status, WCONTINUED)), child);
    ASSERT(WIFCONTINUED(status));
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGKILL);

    FAILS(waitpid(child, &status, 0), ECHILD);
    FAILS(waitpid(getpid(), &status, 0), ECHILD);
    FAILS(waitpid(-1, &status, 0), ECHILD);
    FAILS(waitpid(-1, &status, 0x1000), EINVAL);
    return NULL;
}

int main(void)
{
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
