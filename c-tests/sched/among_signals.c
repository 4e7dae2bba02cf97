// Signals that come all the time keep nobody from his turn: neither threads beside one that computes and handles them, nor threads that wait for
// a signal themselves while others' calls go on.
#include "coop-test.h"
#include <sys/time.h>

static _Atomic int handled, turns, asked, stop;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void answer(int number)
{
    (void)number;
    asked++;
}

static void *yields(void *unused)
{
    while (!stop) {
        turns++;
        sched_yield();
    }
    return unused;
}

static void *computes(void *unused)
{
    while (!stop) {}
    return unused;
}

static void *asks(void *unused)
{
    for (int i = 0; i < 10; i++) {
        int before = asked;
        SYS(kill(getpid(), SIGUSR1));
        UNTIL(asked != before);
    }
    return unused;
}

int main(void)
{
    on_signal(SIGALRM, handler, SA_RESTART);
    on_signal(SIGUSR1, answer, SA_RESTART);
    // One who handles them computes.
    pthread_t other = spawn(yields, NULL), third = spawn(yields, NULL);
    struct itimerval often = {{0, 500}, {0, 500}}, never = {0};
    SYS(setitimer(ITIMER_REAL, &often, NULL));
    for (int until = turns + 5; turns < until || handled < 20;) {}
    SYS(setitimer(ITIMER_REAL, &never, NULL));
    stop = 1;
    join(other);
    join(third);

    // One who handles them waits, others compute, and the one who asks calls again and again.
    for (int busy = 1; busy < 4; busy++) {
        pthread_t threads[3];
        stop = 0;
        for (int i = 0; i < busy; i++) threads[i] = spawn(computes, NULL);
        join(spawn(asks, NULL));
        stop = 1;
        for (int i = 0; i < busy; i++) join(threads[i]);
    }
    return 0;
}
