// A handler leaves a waiting call by siglongjmp: the thread goes on with its old mask and can wait again.
#include "coop-test.h"
#include <setjmp.h>

static __thread sigjmp_buf home;
static __thread volatile sig_atomic_t armed;
static _Atomic int jumps;
static int ends[2];

static void handler(int number)
{
    if (armed) {
        armed = 0;
        siglongjmp(home, number);
    }
}

static void *body(void *unused)
{
    (void)unused;
    char byte;
    sigset_t now;
    for (volatile int i = 0; i < 5; i++) {
        if (sigsetjmp(home, 1) == 0) {
            armed = 1;
            SYS(read(ends[0], &byte, 1));
            FAIL("the read returned");
        }
        OK(pthread_sigmask(SIG_SETMASK, NULL, &now));
        ASSERT(!sigismember(&now, SIGUSR1));
        jumps++;
    }
    SYS(read(ends[0], &byte, 1));
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t one = spawn(body, NULL), two = spawn(body, NULL);
    while (jumps < 10) {
        OK(pthread_kill(one, SIGUSR1));
        OK(pthread_kill(two, SIGUSR1));
        sleep_ms(2);
    }
    SYS(write(ends[1], "xx", 2));
    join(one);
    join(two);
    return 0;
}
