// Ignored signals, and those ignored by default, wake nobody.
#include "coop-test.h"

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return NULL;
}

static void *sleeper(void *unused)
{
    (void)unused;
    struct timespec time = {.tv_nsec = 100 * NS_PER_MS};
    SYS(nanosleep(&time, NULL));
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    signal(SIGUSR1, SIG_IGN);
    pthread_t one = spawn(reader, NULL), two = spawn(sleeper, NULL);
    let_others_block();
    for (int i = 0; i < 3; i++) {
        OK(pthread_kill(one, SIGUSR1));
        OK(pthread_kill(two, SIGUSR1));
        OK(pthread_kill(one, SIGCHLD));
        SYS(kill(getpid(), SIGWINCH));
        SYS(kill(getpid(), SIGUSR1));
    }
    join(two);
    GIVES(pthread_tryjoin_np(one, NULL), EBUSY);
    SYS(write(ends[1], "x", 1));
    join(one);
    return 0;
}
