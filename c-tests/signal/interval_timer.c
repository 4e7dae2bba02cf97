// setitimer ticks again and again while main and other threads wait; stopping it stops the ticks.
#include "coop-test.h"
#include <sys/time.h>

static _Atomic int ticks;

static void handler(int number)
{
    (void)number;
    ticks++;
}

int main(void)
{
    struct itimerval often = {{0, 10000}, {0, 10000}}, never = {{0, 0}, {0, 0}};
    on_signal(SIGALRM, handler, SA_RESTART);
    pthread_t thread = spawn(pause_for_ever, NULL);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    SYS(setitimer(ITIMER_REAL, &often, NULL));
    UNTIL(ticks >= 10);
    ASSERT_GE(ms_since(start), 95);
    SYS(setitimer(ITIMER_REAL, &never, NULL));
    sleep_ms(5);
    int stopped = ticks;
    sleep_ms(40);
    ASSERT_EQ(ticks, stopped);
    OK(pthread_cancel(thread));
    join(thread);
    return 0;
}
