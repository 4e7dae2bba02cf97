// Twenty threads in waitpid(-1): each of a hundred children is reaped by one of them, and then all have ECHILD.
#include "coop-test.h"

enum { THREADS = 20, CHILDREN = 100 };
static int seen[CHILDREN];

static void *waits(void *unused)
{
    int status;
    pid_t child;
    (void)unused;
    while ((child = waitpid(-1, &status, 0)) > 0) {
        ASSERT(WIFEXITED(status));
        __atomic_add_fetch(&seen[WEXITSTATUS(status)], 1, __ATOMIC_SEQ_CST);
    }
    ASSERT_EQ(errno, ECHILD);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    int start[2];
    SYS(pipe(start));
    for (int i = 0; i < CHILDREN; i++)
        if (SYS(fork()) == 0) {
            char byte;
            close(start[1]);
            if (read(start[0], &byte, 1) != 0) _exit(255);
            _exit(i);
        }
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(waits, NULL);
    let_others_block();
    SYS(close(start[1]));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < CHILDREN; i++) ASSERT_EQ(seen[i], 1);
    return 0;
}
