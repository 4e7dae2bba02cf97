// FIONBIO sets and clears O_NONBLOCK: F_GETFL shows it, reads obey it.
#include "coop-test.h"
#include <sys/ioctl.h>

static int reading;

static void *nothing(void *unused)
{
    return unused;
}

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(reading, &byte, 1)), 1);
    return NULL;
}

int main(void)
{
    int pipes[2], sockets[2], on = 1, off = 0;
    char byte;
    SYS(pipe(pipes));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
    join(spawn(nothing, NULL));
    for (int i = 0; i < 2; i++) {
        int writing = i ? sockets[1] : pipes[1];
        reading = i ? sockets[0] : pipes[0];
        SYS(ioctl(reading, FIONBIO, &on));
        ASSERT_NE(SYS(fcntl(reading, F_GETFL)) & O_NONBLOCK, 0);
        FAILS(read(reading, &byte, 1), EAGAIN);
        SYS(ioctl(reading, FIONBIO, &off));
        ASSERT_EQ(SYS(fcntl(reading, F_GETFL)) & O_NONBLOCK, 0);
        pthread_t thread = spawn(reader, NULL);
        until_others_wait();
        write_all(writing, "x", 1);
        join(thread);
    }
    return 0;
}
