// One signal is enough: a thread with something of its own that is sent one, at any moment, runs its handler, and goes on.
#include "own.h"

static int quiet[2];
static sem_t ready;

static void handler(int signal)
{
    (void)signal;
    write_all(quiet[1], "x", 1);
}

static void *waits(void *unused)
{
    SYS(prctl(PR_SET_TIMERSLACK, 77777, 0, 0, 0));
    for (int i = 0; i < 300; i++) {
        char byte;
        sem_post(&ready);
        struct pollfd one = {quiet[0], POLLIN, 0};
        if (i % 2) {
            while (poll(&one, 1, -1) != 1) ASSERT_EQ(errno, EINTR);
        } else {
            for (volatile int n = 0; poll(&one, 1, 0) != 1; n++) {}
        }
        ASSERT_EQ(read(quiet[0], &byte, 1), 1);
    }
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler};
    SYS(sigaction(SIGUSR1, &action, NULL));
    SYS(pipe(quiet));
    sem_init(&ready, 0, 0);
    pthread_t thread = spawn(waits, NULL);
    for (int i = 0; i < 300; i++) {
        while (sem_wait(&ready) != 0) {}
        for (volatile int n = 0; n < i * 50; n++) {}
        ASSERT_EQ(pthread_kill(thread, SIGUSR1), 0);
    }
    join(thread);
    return 0;
}
