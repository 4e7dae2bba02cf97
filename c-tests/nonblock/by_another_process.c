// O_NONBLOCK set and cleared by another process on a shared socket counts at once.
#include "coop-test.h"

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return NULL;
}

static void have_set(int flags)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(fcntl(ends[0], F_SETFL, flags));
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    pthread_t thread = spawn(reader, NULL);
    until_others_wait();
    have_set(O_RDWR | O_NONBLOCK);
    write_all(ends[1], "x", 1);
    join(thread);
    char byte;
    FAILS(read(ends[0], &byte, 1), EAGAIN);
    FAILS(recv(ends[0], &byte, 1, 0), EAGAIN);
    have_set(O_RDWR);
    thread = spawn(reader, NULL);
    until_others_wait();
    write_all(ends[1], "x", 1);
    join(thread);
    return 0;
}
