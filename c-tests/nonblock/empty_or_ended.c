// "Nothing there yet" is EAGAIN, the end of the file is 0, also when the end comes while threads wait.
#include "coop-test.h"

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    return (void *)(intptr_t)SYS(read(ends[0], &byte, 1));
}

int main(void)
{
    char byte;
    for (int kind = 0; kind < 3; kind++) {
        if (kind == 0) SYS(pipe(ends));
        if (kind == 1) SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
        if (kind == 2) tcp_pair(ends);
        int flags = SYS(fcntl(ends[0], F_GETFL));
        SYS(fcntl(ends[0], F_SETFL, flags | O_NONBLOCK));
        FAILS(read(ends[0], &byte, 1), EAGAIN);
        ASSERT_EQ(SYS(read(ends[0], &byte, 0)), 0);
        SYS(fcntl(ends[0], F_SETFL, flags));
        pthread_t threads[5];
        for (int i = 0; i < 5; i++) threads[i] = spawn(reader, NULL);
        until_others_wait();
        SYS(close(ends[1]));
        for (int i = 0; i < 5; i++) ASSERT_EQ((intptr_t)join(threads[i]), 0);
        SYS(fcntl(ends[0], F_SETFL, flags | O_NONBLOCK));
        ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 0);
        SYS(close(ends[0]));
    }
    return 0;
}
