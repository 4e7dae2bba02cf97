// A signal does not end the wait for a priority-inheriting mutex, also without SA_RESTART: there is never more than one inside. Private and in
// shared memory.
#include "shared.h"

static pthread_mutex_t *mutex;
static _Atomic int handled, inside, locked;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *waiter(void *unused)
{
    OK(pthread_mutex_lock(mutex));
    ASSERT_EQ(inside++, 0);
    locked = 1;
    inside--;
    OK(pthread_mutex_unlock(mutex));
    return unused;
}

static void try(int is_shared)
{
    pthread_mutexattr_t attributes;
    OK(pthread_mutexattr_init(&attributes));
    OK(pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT));
    if (is_shared) OK(pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED));
    OK(pthread_mutex_init(mutex, &attributes));
    locked = 0;
    OK(pthread_mutex_lock(mutex));
    inside++;
    pthread_t thread = spawn(waiter, NULL);
    let_others_block();
    for (int i = 0; i < 5; i++) {
        int before = handled;
        OK(pthread_kill(thread, SIGUSR1));
        UNTIL(handled > before);
        sleep_ms(2);
        ASSERT(!locked);
    }
    inside--;
    OK(pthread_mutex_unlock(mutex));
    join(thread);
    ASSERT(locked);
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    mutex = shared_memory(sizeof *mutex);
    try(0);
    try(1);
    return 0;
}
