// The timers of the process's CPU time interrupt the threads that use it: a profiler sees them, and not the main thread, which waits.
#include "coop-test.h"
#include <sys/time.h>

enum { WANTED = 80 };
static _Atomic int stop, in_main, elsewhere;
static __thread _Atomic int mine;
static pid_t main_id;

static void handler(int number)
{
    (void)number;
    if (my_tid() == main_id) {
        in_main++;
    } else {
        mine++;
        elsewhere++;
    }
}

static void *computes(void *unused)
{
    (void)unused;
    while (!stop) {}
    return (void *)(intptr_t)mine;
}

static void *watches(void *unused)
{
    while (elsewhere < WANTED) sleep_ms(5);
    stop = 1;
    return unused;
}

static void profile(int timer, int signal)
{
    struct itimerval often = {{0, 5000}, {0, 5000}}, never = {0};
    stop = in_main = elsewhere = 0;
    on_signal(signal, handler, SA_RESTART);
    pthread_t first = spawn(computes, NULL), second = spawn(computes, NULL), third = spawn(watches, NULL);
    SYS(setitimer(timer, &often, NULL));
    join(third);
    SYS(setitimer(timer, &never, NULL));
    int one = (int)(intptr_t)join(first), other = (int)(intptr_t)join(second);
    ASSERT_LT(in_main, WANTED / 4);
    ASSERT_GT(one, 0);
    ASSERT_GT(other, 0);
}

int main(void)
{
    main_id = my_tid();
    profile(ITIMER_PROF, SIGPROF);
    profile(ITIMER_VIRTUAL, SIGVTALRM);
    return 0;
}
