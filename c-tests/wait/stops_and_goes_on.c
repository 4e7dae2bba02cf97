// WUNTRACED and WCONTINUED: a waiting thread is told that its child stopped and went on, and waits for its end.
#include "coop-test.h"

static pid_t child;
static volatile int step;

static void *waits(void *unused)
{
    int status;
    (void)unused;
    ASSERT_EQ(SYS(waitpid(child, &status, WUNTRACED | WCONTINUED)), child);
    ASSERT(WIFSTOPPED(status));
    ASSERT_EQ(WSTOPSIG(status), SIGSTOP);
    step = 1;
    ASSERT_EQ(SYS(waitpid(child, &status, WUNTRACED | WCONTINUED)), child);
    ASSERT(WIFCONTINUED(status));
    step = 2;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGTERM);
    return NULL;
}

int main(void)
{
    child = SYS(fork());
    if (child == 0)
        for (;;) pause();
    pthread_t thread = spawn(waits, NULL);
    let_others_block();
    SYS(kill(child, SIGSTOP));
    UNTIL(step == 1);
    SYS(kill(child, SIGCONT));
    UNTIL(step == 2);
    SYS(kill(child, SIGTERM));
    join(thread);
    return 0;
}
