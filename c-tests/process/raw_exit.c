// exit(2) made directly by the last thread ends the process with its status, and without atexit's functions.
#include "coop-test.h"

static void at_exit(void)
{
    _exit(99);
}

static pthread_t main_thread;

static void *last(void *status)
{
    if (main_thread) join(main_thread);
    syscall(SYS_exit, (long)status);
    return NULL;
}

static int status_of(long mains, long others)
{
    pid_t pid = SYS(fork());
    if (pid == 0) {
        OK(atexit(at_exit));
        main_thread = pthread_self();
        if (others >= 0)
            spawn(last, (void *)others);
        else {
            main_thread = 0;
            join(spawn(last, (void *)2));
        }
        syscall(SYS_exit, mains);
    }
    return finish(pid);
}

int main(void)
{
    ASSERT_EQ(status_of(5, -1), 5);
    // Before Linux 5.17 the first thread's counted.
    int status = status_of(6, 7);
    ASSERT(status == 7 || status == 6);
    return 0;
}
