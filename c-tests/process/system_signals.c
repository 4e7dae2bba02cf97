// system from several threads: statuses are right, SIGINT and SIGQUIT come back as they were, SIGCHLD is blocked only meanwhile.
#include "coop-test.h"

static void handler(int signal)
{
    (void)signal;
}

static void *runs(void *argument)
{
    char command[40];
    int number = (int)(intptr_t)argument;
    for (int i = 0; i < 3; i++) {
        snprintf(command, sizeof command, "exit %d", number);
        int status = SYS(system(command));
        ASSERT(WIFEXITED(status));
        ASSERT_EQ(WEXITSTATUS(status), number);
    }
    int status = SYS(system("kill -9 $$"));
    ASSERT(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGKILL);
    sigset_t mask;
    OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
    ASSERT_EQ(sigismember(&mask, SIGCHLD), 0);
    return NULL;
}

int main(void)
{
    pthread_t threads[5];
    struct sigaction action;
    on_signal(SIGINT, handler, 0);
    for (intptr_t i = 0; i < 5; i++) threads[i] = spawn(runs, (void *)i);
    for (int i = 0; i < 5; i++) join(threads[i]);
    SYS(sigaction(SIGINT, NULL, &action));
    ASSERT(action.sa_handler == handler);
    SYS(sigaction(SIGQUIT, NULL, &action));
    ASSERT(action.sa_handler == SIG_DFL);
    ASSERT_NE(system(NULL), 0);
    return 0;
}
