// exec that fails gives its error in the thread that called it, and nobody else notices.
#include "coop-test.h"

static void *tries(void *unused)
{
    (void)unused;
    char *arguments[] = {"x", NULL}, *none[] = {NULL};
    sigset_t mask = signal_set(SIGUSR1), after;
    OK(pthread_sigmask(SIG_SETMASK, &mask, NULL));
    for (int i = 0; i < 10; i++) {
        FAILS(execve("/nowhere", arguments, none), ENOENT);
        FAILS(execve("/etc/passwd", arguments, none), EACCES);
        FAILS(execv("/", arguments), EACCES);
        FAILS(execvp("no-such-program-anywhere", arguments), ENOENT);
    }
    OK(pthread_sigmask(SIG_SETMASK, NULL, &after));
    ASSERT_EQ(sigismember(&after, SIGUSR1), 1);
    ASSERT_EQ(sigismember(&after, SIGUSR2), 0);
    return NULL;
}

int main(void)
{
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) threads[i] = spawn(tries, NULL);
    for (int i = 0; i < 6; i++) join(threads[i]);
    tries(NULL);
    return 0;
}
