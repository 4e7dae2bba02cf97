// A thousand threads wait for a child each, which end in another order than they were made: every status reaches the thread that waits for it, once.
// timeout: 60
#include "coop-test.h"

enum { CHILDREN = 1000 };

static pid_t children[CHILDREN];
static _Atomic int reaped;

static void *body(void *argument)
{
    int number = (int)(intptr_t)argument, status;
    ASSERT_EQ(SYS(waitpid(children[number], &status, 0)), children[number]);
    ASSERT(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), number % 251);
    FAILS(waitpid(children[number], &status, WNOHANG), ECHILD);
    reaped++;
    return NULL;
}

int main(void)
{
    static pthread_t threads[CHILDREN];
    int go[2];
    char byte;
    SYS(pipe(go));
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = SYS(fork());
        if (children[i] == 0) {
            // Whoever gets a byte first, first.
            SYS(close(go[1]));
            SYS(read(go[0], &byte, 1));
            _exit(i % 251);
        }
    }
    for (intptr_t i = 0; i < CHILDREN; i++) threads[i] = spawn_small(body, (void *)i);
    let_others_block();
    ASSERT_EQ(reaped, 0);
    for (int i = 0; i < CHILDREN; i++) SYS(write(go[1], "x", 1));
    for (int i = 0; i < CHILDREN; i++) join(threads[i]);
    ASSERT_EQ(reaped, CHILDREN);
    FAILS(wait(NULL), ECHILD);
    return 0;
}
