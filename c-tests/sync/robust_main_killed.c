// A process with threads that is killed while its main thread holds a robust mutex leaves it as of a dead owner.
#include "shared.h"

int main(void)
{
    pthread_mutex_t *mutex = shared_memory(sizeof *mutex);
    shared_mutex(mutex, 1);
    int pipe_fd[2];
    char byte;
    SYS(pipe(pipe_fd));
    pid_t child = SYS(fork());
    if (child == 0) {
        have_threads();
        OK(pthread_mutex_lock(mutex));
        write_all(pipe_fd[1], "x", 1);
        for (;;) pause();
    }
    have_threads();
    ASSERT_EQ(read_all(pipe_fd[0], &byte, 1), 1);
    GIVES(pthread_mutex_trylock(mutex), EBUSY);
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    GIVES(pthread_mutex_lock(mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(mutex));
    OK(pthread_mutex_unlock(mutex));
    return 0;
}
