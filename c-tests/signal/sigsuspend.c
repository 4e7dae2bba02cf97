// sigsuspend lets a signal in for its wait only, and pause waits for any; both end with EINTR after the handler.
#include "coop-test.h"

static __thread volatile int handled;
static sem_t blocked, handled_one;
static _Atomic int done;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *suspended(void *unused)
{
    (void)unused;
    sigset_t set = signal_set(SIGUSR1), none, now;
    sigemptyset(&none);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    SYS(sem_post(&blocked));
    for (int i = 1; i <= 3; i++) {
        FAILS(sigsuspend(&none), EINTR);
        ASSERT_EQ(handled, i);
        OK(pthread_sigmask(SIG_SETMASK, NULL, &now));
        ASSERT(sigismember(&now, SIGUSR1));
        SYS(sem_post(&handled_one));
    }
    return NULL;
}

static void *paused(void *unused)
{
    (void)unused;
    FAILS(pause(), EINTR);
    ASSERT_GE(handled, 1);
    done = 1;
    return NULL;
}

int main(void)
{
    SYS(sem_init(&blocked, 0, 0));
    SYS(sem_init(&handled_one, 0, 0));
    on_signal(SIGUSR1, handler, SA_RESTART);
    pthread_t thread = spawn(suspended, NULL);
    SYS(sem_wait(&blocked));
    for (int i = 0; i < 3; i++) {
        if (i) let_others_block();
        OK(pthread_kill(thread, SIGUSR1));
        SYS(sem_wait(&handled_one));
    }
    join(thread);
    thread = spawn(paused, NULL);
    while (!done) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(2);
    }
    join(thread);
    return 0;
}
