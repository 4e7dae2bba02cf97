// Two hundred children that end in no order, waited for by id by as many threads: each status is got once, by the one who asked.
#include "coop-test.h"

enum { CHILDREN = 200 };
static pid_t children[CHILDREN];

static void *waits(void *argument)
{
    int i = (int)(intptr_t)argument, status;
    ASSERT_EQ(SYS(waitpid(children[i], &status, 0)), children[i]);
    ASSERT(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), i % 256);
    FAILS(waitpid(children[i], &status, WNOHANG), ECHILD);
    return NULL;
}

int main(void)
{
    pthread_t threads[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = SYS(fork());
        if (children[i] == 0) {
            usleep((i * 7919) % 20000);
            _exit(i % 256);
        }
    }
    for (intptr_t i = 0; i < CHILDREN; i++) threads[i] = spawn_small(waits, (void *)i);
    for (int i = 0; i < CHILDREN; i++) join(threads[i]);
    FAILS(waitpid(-1, NULL, 0), ECHILD);
    return 0;
}
