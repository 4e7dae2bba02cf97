// Returning from main ends the process with that status, whatever its threads are doing.
// expect-exit: 5
#include "coop-test.h"

static sem_t never;

static void *waits(void *unused)
{
    (void)unused;
    SYS(sem_wait(&never));
    return NULL;
}

static void *runs(void *unused)
{
    (void)unused;
    for (;;) sched_yield();
    return NULL;
}

static void said(void)
{
    puts("at exit");
}

int main(void)
{
    SYS(sem_init(&never, 0, 0));
    atexit(said);
    for (int i = 0; i < 50; i++) spawn_small(waits, NULL);
    spawn(runs, NULL);
    let_others_block();
    return 5;
}
