// A process with threads that ends while one of them holds a robust mutex in shared memory leaves it as of a dead owner, to one who waits and to
// one who tries afterwards: by exit, by a signal of its own or of another's, by a fault, and by abort.
#include "shared.h"
#include <sys/resource.h>

enum way { EXITS, KILLS_ITSELF, IS_KILLED, FAULTS, TRAPS, ABORTS, WAYS };

static pthread_mutex_t *mutex;
static sem_t held;
static volatile int *volatile nowhere = (int *)8;

static void *owner(void *unused)
{
    OK(pthread_mutex_lock(mutex));
    SYS(sem_post(&held));
    return pause_for_ever(unused);
}

static void *ends(void *argument)
{
    switch ((enum way)(intptr_t)argument) {
    case EXITS: exit(0);
    case KILLS_ITSELF: kill(getpid(), SIGTERM); break;
    case FAULTS: *nowhere = 1; break;
    case TRAPS: __builtin_trap();
    case ABORTS: abort();
    default: break;
    }
    return pause_for_ever(NULL);
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
    static const int status[] = {0, 128 + SIGTERM, 128 + SIGTERM, 128 + SIGSEGV, 128 + SIGILL, 128 + SIGABRT};
    struct rlimit none = {0, 0};
    SYS(setrlimit(RLIMIT_CORE, &none));
    mutex = shared_memory(sizeof *mutex);
    shared_mutex(mutex, 1);
    have_threads();
    for (int i = 0; i < 2 * WAYS; i++) {
        enum way way = i % WAYS;
        int go[2];
        SYS(pipe(go));
        pid_t pid = SYS(fork());
        if (pid == 0) {
            char byte;
            SYS(sem_init(&held, 0, 0));
            spawn(owner, NULL);
            SYS(sem_wait(&held));
            read_all(go[0], &byte, 1);
            join(spawn(ends, (void *)(intptr_t)way));
        }
        while (pthread_mutex_trylock(mutex) == 0) {
            OK(pthread_mutex_unlock(mutex));
            sleep_ms(1);
        }
        pthread_t thread = 0;
        if (i < WAYS) {
            thread = spawn(waiter, NULL);
            let_others_block();
        }
        write_all(go[1], "x", 1);
        if (way == IS_KILLED) SYS(kill(pid, SIGTERM));
        ASSERT_EQ(finish(pid), status[way]);
        if (i < WAYS)
            join(thread);
        else
            waiter(NULL);
        SYS(close(go[0]));
        SYS(close(go[1]));
    }
    return 0;
}
