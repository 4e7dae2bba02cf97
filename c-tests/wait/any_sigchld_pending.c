// wait for any child while SIGCHLD is blocked and stays pending: each child's end is told, though no further signal comes.
#include "coop-test.h"

#define CHILDREN 6

int main(void)
{
    sigset_t set = signal_set(SIGCHLD), pending;
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t other = spawn(pause_for_ever, NULL);
    int go[2];
    SYS(pipe(go));
    for (int i = 0; i < CHILDREN; i++)
        if (SYS(fork()) == 0) {
            char byte;
            if (read(go[0], &byte, 1) != 1) _exit(1);
            sleep_ms(5);
            _exit(0);
        }
    for (int i = 0; i < CHILDREN; i++) {
        SYS(write(go[1], "x", 1));
        ASSERT_GT(SYS(waitpid(-1, NULL, 0)), 0);
        SYS(sigpending(&pending));
        ASSERT(sigismember(&pending, SIGCHLD));
    }
    FAILS(waitpid(-1, NULL, 0), ECHILD);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
