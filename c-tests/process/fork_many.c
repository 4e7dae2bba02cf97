// Twenty threads fork ten times each while fifty do I/O: every status is right, no byte is lost.
#include "coop-test.h"

enum { PAIRS = 25, FORKERS = 20 };
static volatile int stop;

static void *echoes(void *argument)
{
    int *fds = argument;
    char byte;
    while (read(fds[0], &byte, 1) == 1) write_all(fds[3], &byte, 1);
    return NULL;
}

static void *asks(void *argument)
{
    int *fds = argument;
    long count = 0;
    while (!stop) {
        char byte = (char)count, back;
        write_all(fds[1], &byte, 1);
        ASSERT_EQ(read_all(fds[2], &back, 1), 1);
        ASSERT_EQ(back, byte);
        count++;
    }
    SYS(shutdown(fds[1], SHUT_WR));
    return (void *)count;
}

static void *forks(void *argument)
{
    for (int i = 0; i < 10; i++) {
        pid_t child = SYS(fork());
        if (child == 0) _exit((int)(intptr_t)argument + i);
        ASSERT_EQ(finish(child), (intptr_t)argument + i);
    }
    return NULL;
}

int main(void)
{
    static int fds[PAIRS][4];
    pthread_t io[2 * PAIRS], forkers[FORKERS];
    for (int i = 0; i < PAIRS; i++) {
        int there[2], back[2];
        SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, there));
        SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, back));
        fds[i][0] = there[0], fds[i][1] = there[1], fds[i][2] = back[0], fds[i][3] = back[1];
        io[2 * i] = spawn_small(echoes, fds[i]);
        io[2 * i + 1] = spawn_small(asks, fds[i]);
    }
    for (intptr_t i = 0; i < FORKERS; i++) forkers[i] = spawn_small(forks, (void *)i);
    for (int i = 0; i < FORKERS; i++) join(forkers[i]);
    stop = 1;
    for (int i = 0; i < 2 * PAIRS; i++)
        if (i % 2)
            ASSERT_GT((long)join(io[i]), 0);
        else
            join(io[i]);
    return 0;
}
