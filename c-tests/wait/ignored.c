// With SIGCHLD ignored children leave no status: wait ends with ECHILD once the last has ended, in a thread as in main.
#include "coop-test.h"

static int feed[2];

static void *waits(void *unused)
{
    int status;
    (void)unused;
    FAILS(waitpid(-1, &status, 0), ECHILD);
    char byte;
    ASSERT_EQ(SYS(read(feed[0], &byte, 1)), 1);
    return NULL;
}

int main(void)
{
    SYS(pipe(feed));
    SYS(signal(SIGCHLD, SIG_IGN) == SIG_ERR ? -1 : 0);
    for (int i = 0; i < 5; i++)
        if (SYS(fork()) == 0) {
            sleep_ms(20);
            if (i == 2) write_all(feed[1], "x", 1);
            _exit(1);
        }
    pthread_t thread = spawn(waits, NULL);
    join(thread);
    FAILS(waitpid(-1, NULL, WNOHANG), ECHILD);
    return 0;
}
