// Threads that yield for ever starve neither a sleeper, nor a reader, nor a new thread.
#include "coop-test.h"

static _Atomic int stop;
static int ends[2];

static void *yielder(void *unused)
{
    (void)unused;
    while (!stop) sched_yield();
    return NULL;
}

static void *sleeper(void *unused)
{
    (void)unused;
    sleep_ms(20);
    return NULL;
}

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    pthread_t yielders[4];
    for (int i = 0; i < 4; i++) yielders[i] = spawn(yielder, NULL);
    pthread_t slept = spawn(sleeper, NULL), read = spawn(reader, NULL);
    join(slept);
    SYS(write(ends[1], "r", 1));
    join(read);
    join(spawn(sleeper, NULL));
    stop = 1;
    for (int i = 0; i < 4; i++) join(yielders[i]);
    return 0;
}
