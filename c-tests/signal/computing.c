// A thread that computes without a call gets its signals while it does: pthread_kill, kill, and the same with a timer.
#include "coop-test.h"
#include <sys/time.h>

static volatile sig_atomic_t handled;
static _Atomic int computing;

static void handler(int number)
{
    (void)number;
    handled = 1;
}

static void *body(void *unused)
{
    computing = 1;
    while (!handled) __asm__ volatile("pause");
    return unused;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1);
    sigaddset(&set, SIGALRM);
    on_signal(SIGUSR1, handler, SA_RESTART);
    on_signal(SIGALRM, handler, SA_RESTART);
    for (int how = 0; how < 3; how++) {
        handled = computing = 0;
        pthread_t thread = spawn(body, NULL);
        UNTIL(computing);
        // Only the thread that computes may take it.
        OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
        struct itimerval soon = {{0, 0}, {0, 1000}};
        if (how == 0) OK(pthread_kill(thread, SIGUSR1));
        if (how == 1) SYS(kill(getpid(), SIGUSR1));
        if (how == 2) SYS(setitimer(ITIMER_REAL, &soon, NULL));
        join(thread);
        OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    }
    return 0;
}
