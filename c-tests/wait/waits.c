// A thread waits for a child while others run; the child ends only when one of them lets it.
#include "coop-test.h"

static int ends[2];

static void *waiter(void *argument)
{
    int status;
    pid_t child = (pid_t)(intptr_t)argument;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), 42);
    return NULL;
}

int main(void)
{
    char byte;
    SYS(pipe(ends));
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(read(ends[0], &byte, 1));
        _exit(42);
    }
    pthread_t thread = spawn(waiter, (void *)(intptr_t)child);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    SYS(write(ends[1], "x", 1));
    join(thread);
    FAILS(waitpid(child, NULL, 0), ECHILD);
    return 0;
}
