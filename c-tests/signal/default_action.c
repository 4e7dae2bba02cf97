// Signals with their default action end a process with waiting threads, sent from outside, by a thread, or by a fault.
#include "coop-test.h"

static int ready[2];

static void *raises(void *number)
{
    raise((int)(intptr_t)number);
    return NULL;
}

static void *faults(void *unused)
{
    (void)unused;
    char *volatile nowhere = (char *)8;
    *nowhere = 1;
    return NULL;
}

static pid_t victim(void *(*body)(void *), int number)
{
    char byte;
    pid_t child = SYS(fork());
    if (child == 0) {
        for (int i = 0; i < 5; i++) spawn(pause_for_ever, NULL);
        let_others_block();
        write_all(ready[1], "r", 1);
        join(spawn(body, (void *)(intptr_t)number));
        _exit(0);
    }
    SYS(read(ready[0], &byte, 1));
    return child;
}

int main(void)
{
    static const int deadly[] = {SIGTERM, SIGINT, SIGKILL, SIGUSR1, SIGALRM, SIGHUP};
    SYS(pipe(ready));
    for (int i = 0; i < 6; i++) {
        pid_t child = victim(pause_for_ever, 0);
        SYS(kill(child, deadly[i]));
        ASSERT_EQ(finish(child), 128 + deadly[i]);
    }
    ASSERT_EQ(finish(victim(raises, SIGTERM)), 128 + SIGTERM);
    ASSERT_EQ(finish(victim(raises, SIGQUIT)), 128 + SIGQUIT);
    ASSERT_EQ(finish(victim(faults, 0)), 128 + SIGSEGV);
    return 0;
}
