// A process that becomes another program leaves the robust mutexes that its other threads hold as of a dead owner; when there is no such
// program, they have them still.
#include "shared.h"

static pthread_mutex_t *mutex;
static int told[2];

static void *holder(void *unused)
{
    (void)unused;
    OK(pthread_mutex_lock(mutex));
    write_all(told[1], "x", 1);
    for (;;) pause();
}

int main(void)
{
    char *const arguments[] = {"sleep", "0.05", NULL};
    char byte;
    mutex = shared_memory(sizeof *mutex);
    shared_mutex(mutex, 1);
    SYS(pipe2(told, O_CLOEXEC));
    pid_t pid = SYS(fork());
    if (pid == 0) {
        spawn(holder, NULL);
        ASSERT_EQ(read_all(told[0], &byte, 1), 1);
        FAILS(execv("/nonexistent/program", arguments), ENOENT);
        GIVES(pthread_mutex_trylock(mutex), EBUSY);
        execvp("sleep", arguments);
        FAIL("no sleep");
    }
    have_threads();
    ASSERT_EQ(finish(pid), 0);
    GIVES(pthread_mutex_lock(mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(mutex));
    OK(pthread_mutex_unlock(mutex));
    return 0;
}
