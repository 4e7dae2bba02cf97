// Waiting for any child (-1): five threads each reap one of five, in whatever order they end.
#include "coop-test.h"

static int ends[5][2];
static _Atomic int reaped[5];
static pid_t children[5];

static void *waiter(void *unused)
{
    (void)unused;
    int status;
    pid_t child = SYS(waitpid(-1, &status, 0));
    int number = WEXITSTATUS(status);
    ASSERT_LT(number, 5);
    ASSERT_EQ(child, children[number]);
    reaped[number]++;
    return NULL;
}

int main(void)
{
    char byte;
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) {
        SYS(pipe(ends[i]));
        children[i] = SYS(fork());
        if (children[i] == 0) {
            SYS(read(ends[i][0], &byte, 1));
            _exit(i);
        }
    }
    for (int i = 0; i < 5; i++) threads[i] = spawn(waiter, NULL);
    let_others_block();
    for (int i = 4; i >= 0; i--) SYS(write(ends[i][1], "x", 1));
    for (int i = 0; i < 5; i++) join(threads[i]);
    for (int i = 0; i < 5; i++) ASSERT_EQ(reaped[i], 1);
    FAILS(wait(NULL), ECHILD);
    return 0;
}
