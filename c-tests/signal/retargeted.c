// A signal for the process whose first choice is busy in a handler that blocks it goes to another thread that does not.
#include "coop-test.h"

#define THREADS 4

static _Atomic int inside;
static _Atomic pid_t who[THREADS];

static void handler(int number)
{
    (void)number;
    int at = inside++;
    ASSERT_LT(at, THREADS);
    who[at] = my_tid();
    // None leaves before all are here: each is in its own thread.
    UNTIL(inside == THREADS);
}

static void *body(void *unused)
{
    while (inside < THREADS) usleep(1000);
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS - 1];
    on_signal(SIGRTMIN, handler, SA_RESTART);
    // Until all are sent; then this thread is the last one's.
    sigset_t set = signal_set(SIGRTMIN);
    for (int i = 0; i < THREADS - 1; i++) threads[i] = spawn(body, NULL);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (int i = 0; i < THREADS; i++) SYS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i}));
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    body(NULL);
    for (int i = 0; i < THREADS - 1; i++) join(threads[i]);
    for (int i = 0; i < THREADS; i++)
        for (int j = 0; j < i; j++) ASSERT_NE(who[i], who[j]);
    return 0;
}
