// A process with threads that ends by a fault, or by abort, while one of them holds a robust mutex in shared memory leaves it as of a
// dead owner: to one who tries at once, and to one who waits.
#include "shared.h"
#include <sys/prctl.h>
#include <sys/resource.h>

static pthread_mutex_t *mutex;
static sem_t held;

static void *owner(void *unused)
{
    OK(pthread_mutex_lock(mutex));
    SYS(sem_post(&held));
    return pause_for_ever(unused);
}

static void *faults(void *argument)
{
    int way = (int)(intptr_t)argument;
    if (way == 0) *(volatile int *)8 = 1;
    if (way == 1) __builtin_trap();
    abort();
}

static void *waiter(void *unused)
{
    GIVES(pthread_mutex_lock(mutex), EOWNERDEAD);
    OK(pthread_mutex_consistent(mutex));
    OK(pthread_mutex_unlock(mutex));
    return unused;
}

int main(void)
{
    static const int by[] = {SIGSEGV, SIGILL, SIGABRT};
    struct rlimit none = {0, 0};
    SYS(setrlimit(RLIMIT_CORE, &none));
    mutex = shared_memory(sizeof *mutex);
    shared_mutex(mutex, 1);
    have_threads();
    for (int i = 0; i < 6; i++) {
        int way = i % 3, go[2];
        SYS(pipe(go));
        pid_t pid = SYS(fork());
        if (pid == 0) {
            char byte;
            SYS(sem_init(&held, 0, 0));
            spawn(owner, NULL);
            SYS(sem_wait(&held));
            read_all(go[0], &byte, 1);
            join(spawn(faults, (void *)(intptr_t)way));
        }
        while (pthread_mutex_trylock(mutex) == 0) {
            OK(pthread_mutex_unlock(mutex));
            sleep_ms(1);
        }
        pthread_t thread = 0;
        if (i < 3) {
            thread = spawn(waiter, NULL);
            let_others_block();
        }
        write_all(go[1], "x", 1);
        ASSERT_EQ(finish(pid), 128 + by[way]);
        if (i < 3)
            join(thread);
        else
            waiter(NULL);
        close(go[0]);
        close(go[1]);
    }
    return 0;
}
