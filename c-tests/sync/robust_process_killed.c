// A process that is killed while it holds a robust mutex in shared memory leaves it as of a dead owner to a thread that waits.
#include "shared.h"

static pthread_mutex_t *mutex;

static void *waiter(void *unused)
{
    (void)unused;
    GIVES(pthread_mutex_lock(mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(mutex));
    OK(pthread_mutex_unlock(mutex));
    return NULL;
}

int main(void)
{
    mutex = shared_memory(sizeof *mutex);
    shared_mutex(mutex, 1);
    have_threads();
    int pipe_fd[2];
    char byte;
    SYS(pipe(pipe_fd));
    pid_t child = SYS(fork());
    if (child == 0) {
        OK(pthread_mutex_lock(mutex));
        write_all(pipe_fd[1], "x", 1);
        for (;;) pause();
    }
    ASSERT_EQ(read_all(pipe_fd[0], &byte, 1), 1);
    pthread_t thread = spawn(waiter, NULL);
    let_others_block();
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    join(thread);
    return 0;
}
