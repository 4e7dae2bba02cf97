// A process with threads that ends while one of them holds a robust mutex in shared memory leaves it as of a dead owner: by exit, and
// by a signal that ends it.
#include "shared.h"

static pthread_mutex_t *mutex;
static sem_t held;

static void *owner(void *unused)
{
    OK(pthread_mutex_lock(mutex));
    SYS(sem_post(&held));
    return pause_for_ever(unused);
}

static void *waiter(void *unused)
{
    (void)unused;
    GIVES(pthread_mutex_lock(mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(mutex));
    OK(pthread_mutex_unlock(mutex));
    return NULL;
}

static void child(int way)
{
    SYS(sem_init(&held, 0, 0));
    spawn(owner, NULL);
    SYS(sem_wait(&held));
    sleep_ms(30);
    if (way == 1) kill(getpid(), SIGTERM);
    if (way == 2) for (;;) pause();
    exit(0);
}

int main(void)
{
    mutex = shared_memory(sizeof *mutex);
    shared_mutex(mutex, 1);
    have_threads();
    for (int way = 0; way < 3; way++) {
        pid_t pid = SYS(fork());
        if (pid == 0) child(way);
        while (pthread_mutex_trylock(mutex) == 0) {
            OK(pthread_mutex_unlock(mutex));
            sleep_ms(1);
        }
        pthread_t thread = spawn(waiter, NULL);
        let_others_block();
        if (way == 2) SYS(kill(pid, SIGTERM));
        ASSERT_EQ(finish(pid), way == 0 ? 0 : 128 + SIGTERM);
        join(thread);
    }
    return 0;
}
