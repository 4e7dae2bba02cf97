// A process with threads whose main thread becomes another program while it holds a robust mutex in shared memory leaves it as of a dead
// owner; when there is no such program, it has the mutex still.
#include "shared.h"

int main(void)
{
    char *const arguments[] = {"sleep", "0.05", NULL};
    pthread_mutex_t *mutex = shared_memory(sizeof *mutex);
    shared_mutex(mutex, 1);
    pid_t pid = SYS(fork());
    if (pid == 0) {
        spawn(pause_for_ever, NULL);
        OK(pthread_mutex_lock(mutex));
        FAILS(execv("/nonexistent/program", arguments), ENOENT);
        OK(pthread_mutex_unlock(mutex));
        OK(pthread_mutex_lock(mutex));
        execvp("sleep", arguments);
        FAIL("no sleep");
    }
    have_threads();
    ASSERT_EQ(finish(pid), 0);
    GIVES(pthread_mutex_trylock(mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(mutex));
    OK(pthread_mutex_unlock(mutex));
    return 0;
}
