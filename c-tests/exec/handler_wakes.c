// A signal comes for the process while its threads fail to become another program: the handler wakes who waits, with what it knows of the signal.
#include "coop-test.h"

extern char **environ;

enum { SIGNALS = 300, THREADS = 3 };
static sem_t handled;
static volatile int over;
static __thread int is_worker;

static void on_value(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGRTMIN);
    ASSERT_EQ(info->si_code, SI_QUEUE);
    ASSERT_EQ(info->si_pid, getpid());
    ASSERT_EQ(info->si_value.sival_int, 17);
    ASSERT(is_worker);
    SYS(sem_post(&handled));
}

static void *fails(void *unused)
{
    char *arguments[] = {"nothing", NULL};
    sigset_t set = signal_set(SIGRTMIN), now;
    is_worker = 1;
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    while (!over) {
        FAILS(execve("/nothing/there", arguments, environ), ENOENT);
        OK(pthread_sigmask(SIG_BLOCK, NULL, &now));
        ASSERT(!sigismember(&now, SIGRTMIN) && !sigismember(&now, SIGUSR1));
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    SYS(sem_init(&handled, 0, 0));
    struct sigaction action = {.sa_sigaction = on_value, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGRTMIN, &action, NULL));
    // Only those who fail have it.
    sigset_t set = signal_set(SIGRTMIN);
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(fails, NULL);
    for (int i = 0; i < SIGNALS; i++) {
        SYS(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 17}));
        SYS(sem_wait(&handled));
    }
    over = 1;
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    FAILS(sem_trywait(&handled), EAGAIN);
    return 0;
}
