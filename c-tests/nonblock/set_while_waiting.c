// O_NONBLOCK set while a thread waits is nothing to that call, and all to the next; cleared, the next call waits again.
#include "coop-test.h"

static void *reader(void *argument)
{
    char byte = 0;
    ASSERT_EQ(SYS(read(*(int *)argument, &byte, 1)), 1);
    return (void *)(intptr_t)byte;
}

static void through(int reading, int writing)
{
    char byte;
    pthread_t thread = spawn(reader, &reading);
    until_others_wait();
    int flags = SYS(fcntl(reading, F_GETFL));
    SYS(fcntl(reading, F_SETFL, flags | O_NONBLOCK));
    write_all(writing, "a", 1);
    ASSERT_EQ((intptr_t)join(thread), 'a');
    FAILS(read(reading, &byte, 1), EAGAIN);
    SYS(fcntl(reading, F_SETFL, flags));
    thread = spawn(reader, &reading);
    until_others_wait();
    write_all(writing, "b", 1);
    ASSERT_EQ((intptr_t)join(thread), 'b');
}

int main(void)
{
    int pipes[2], sockets[2];
    SYS(pipe(pipes));
    through(pipes[0], pipes[1]);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    through(sockets[0], sockets[1]);
    tcp_pair(sockets);
    through(sockets[0], sockets[1]);
    return 0;
}
