// A signal for the process that comes while its only thread makes others, with all signals blocked for that moment, runs its handler soon.
#include "coop-test.h"

enum { SIGNALS = 2000 };

static int acks[2];
static volatile int handled;

static void handler(int number)
{
    (void)number;
    handled++;
    if (write(acks[1], "", 1) != 1) _exit(2);
}

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_RESTART);
    SYS(pipe(acks));
    join(spawn(nothing, NULL));
    pid_t parent = getpid(), child = SYS(fork());
    if (child == 0) {
        char ack;
        SYS(close(acks[1]));
        for (int i = 0; i < SIGNALS; i++)
            if (kill(parent, SIGUSR1) != 0 || read(acks[0], &ack, 1) != 1) _exit(1);
        _exit(0);
    }
    while (handled < SIGNALS) join(spawn(nothing, NULL));
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(handled, SIGNALS);
    return 0;
}
