// While a vfork child has not called exec, only its parent thread waits: another one gives the child what it waits for.
#include "coop-test.h"

static int pipe_fd[2];

static void *parent(void *unused)
{
    (void)unused;
    pid_t child = vfork();
    if (child == 0) {
        char byte = 0;
        if (read(pipe_fd[0], &byte, 1) != 1) _exit(2);
        _exit(byte);
    }
    SYS(child);
    ASSERT_EQ(finish(child), 42);
    return NULL;
}

int main(void)
{
    SYS(pipe(pipe_fd));
    pthread_t thread = spawn(parent, NULL);
    let_others_block();
    write_all(pipe_fd[1], "\052", 1);
    join(thread);
    return 0;
}
