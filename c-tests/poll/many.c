// poll over 300 pipes by ten threads at once: one write, and each finds the one that is ready.
#include "coop-test.h"

#define PIPES 300

static int pipes[PIPES][2];

static void *poller(void *unused)
{
    (void)unused;
    struct pollfd fds[PIPES];
    for (int i = 0; i < PIPES; i++) fds[i] = (struct pollfd){pipes[i][0], POLLIN, 0};
    ASSERT_EQ(SYS(poll(fds, PIPES, -1)), 1);
    int ready = -1;
    for (int i = 0; i < PIPES; i++)
        if (fds[i].revents) ready = i;
    return (void *)(intptr_t)ready;
}

int main(void)
{
    char byte;
    for (int i = 0; i < PIPES; i++) SYS(pipe(pipes[i]));
    static const int chosen[] = {0, 150, PIPES - 1};
    for (int round = 0; round < 3; round++) {
        pthread_t threads[10];
        for (int i = 0; i < 10; i++) threads[i] = spawn(poller, NULL);
        let_others_block();
        SYS(write(pipes[chosen[round]][1], "x", 1));
        for (int i = 0; i < 10; i++) ASSERT_EQ((intptr_t)join(threads[i]), chosen[round]);
        SYS(read(pipes[chosen[round]][0], &byte, 1));
    }
    return 0;
}
