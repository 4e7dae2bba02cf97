// A thread that has given up its rights cannot take part in libc's setuid: libc aborts, by a signal that the program may catch.
#include "own.h"

static pthread_barrier_t barrier;

static void *gives_up(void *unused)
{
    SYS(syscall(SYS_setresuid, 2001, 2002, 2003));
    pthread_barrier_wait(&barrier);
    pause();
    return unused;
}

static void aborted(int signal)
{
    _exit(signal == SIGABRT ? 0 : 1);
}

int main(void)
{
    need_root();
    on_signal(SIGABRT, aborted, 0);
    pthread_barrier_init(&barrier, NULL, 2);
    spawn(gives_up, NULL);
    pthread_barrier_wait(&barrier);
    setresuid(1001, 1002, 1003);
    return 2;
}
