// Each thread has a mask, inherited at creation; a blocked signal stays pending for its thread until it is let in.
#include "coop-test.h"

static __thread volatile int handled;
static sem_t blocked, sent;

static void handler(int number)
{
    (void)number;
    handled++;
}

static int is_blocked(int number)
{
    sigset_t now;
    OK(pthread_sigmask(SIG_SETMASK, NULL, &now));
    return sigismember(&now, number);
}

static void *body(void *unused)
{
    (void)unused;
    sigset_t set = signal_set(SIGUSR1), pending;
    ASSERT(is_blocked(SIGUSR2));
    ASSERT(!is_blocked(SIGUSR1));
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    SYS(sem_post(&blocked));
    SYS(sem_wait(&sent));
    ASSERT_EQ(handled, 0);
    SYS(sigpending(&pending));
    ASSERT(sigismember(&pending, SIGUSR1));
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    // Three of the same make one, and it is here before the call returns.
    ASSERT_EQ(handled, 1);
    SYS(sigpending(&pending));
    ASSERT(!sigismember(&pending, SIGUSR1));
    return NULL;
}

int main(void)
{
    sigset_t usr2 = signal_set(SIGUSR2), pending;
    SYS(sem_init(&blocked, 0, 0));
    SYS(sem_init(&sent, 0, 0));
    on_signal(SIGUSR1, handler, 0);
    OK(pthread_sigmask(SIG_BLOCK, &usr2, NULL));
    pthread_t thread = spawn(body, NULL);
    OK(pthread_sigmask(SIG_UNBLOCK, &usr2, NULL));
    SYS(sem_wait(&blocked));
    ASSERT(!is_blocked(SIGUSR1));
    ASSERT(!is_blocked(SIGUSR2));
    for (int i = 0; i < 3; i++) OK(pthread_kill(thread, SIGUSR1));
    SYS(sigpending(&pending));
    ASSERT(!sigismember(&pending, SIGUSR1));
    SYS(sem_post(&sent));
    join(thread);
    ASSERT_EQ(handled, 0);
    return 0;
}
