// The process ends when its last thread does: functions of atexit run in that thread, with the signal mask that it had.
#include "coop-test.h"

static int handled;
static pthread_t main_thread;

static void count(int signal)
{
    (void)signal;
    handled++;
}

static void at_exit(void)
{
    sigset_t mask;
    OK(pthread_sigmask(SIG_BLOCK, NULL, &mask));
    ASSERT(!sigismember(&mask, SIGUSR1));
    ASSERT(sigismember(&mask, SIGUSR2));
    SYS(kill(getpid(), SIGUSR1));
    ASSERT_EQ(handled, 1);
    // What was pending, and let in now, ends the process.
    SYS(kill(getpid(), SIGUSR2));
    sigemptyset(&mask);
    OK(pthread_sigmask(SIG_SETMASK, &mask, NULL));
    _exit(1);
}

static void *last(void *unused)
{
    (void)unused;
    sigset_t two;
    sigemptyset(&two);
    sigaddset(&two, SIGUSR2);
    OK(pthread_sigmask(SIG_BLOCK, &two, NULL));
    OK(pthread_join(main_thread, NULL));
    return NULL;
}

int main(void)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        struct sigaction action = {.sa_handler = count};
        SYS(sigaction(SIGUSR1, &action, NULL));
        atexit(at_exit);
        main_thread = pthread_self();
        spawn(last, NULL);
        pthread_exit(NULL);
    }
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGUSR2);
    return 0;
}
