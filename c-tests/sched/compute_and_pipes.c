// Threads that compute without a call hold up neither those that pass bytes through pipes nor those that sleep.
// env: COOP_SLICE=1
#include "coop-test.h"

enum { ROUNDS = 30 };

static _Atomic int stop;
static int there[2], back[2];

static void *computes(void *unused)
{
    volatile unsigned long n = 0;
    while (!stop) n++;
    return unused;
}

static void *echo(void *unused)
{
    char byte;
    for (int i = 0; i < ROUNDS; i++) {
        ASSERT_EQ(SYS(read(there[0], &byte, 1)), 1);
        write_all(back[1], &byte, 1);
    }
    return unused;
}

static void *sleeper(void *unused)
{
    for (int i = 0; i < 10; i++) sleep_ms(1);
    return unused;
}

int main(void)
{
    SYS(pipe(there));
    SYS(pipe(back));
    pthread_t busy[3], echoes = spawn(echo, NULL), sleeps = spawn(sleeper, NULL);
    for (int i = 0; i < 3; i++) busy[i] = spawn(computes, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        char byte = (char)i, got;
        write_all(there[1], &byte, 1);
        ASSERT_EQ(SYS(read(back[0], &got, 1)), 1);
        ASSERT_EQ(got, byte);
    }
    join(echoes);
    join(sleeps);
    stop = 1;
    for (int i = 0; i < 3; i++) join(busy[i]);
    return 0;
}
