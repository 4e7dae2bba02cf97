// dup'ed descriptors share one file: a thread waiting on one is served by a write seen through the other.
#include "coop-test.h"

static int pair[2];

static void *reader(void *fd)
{
    char byte;
    ASSERT_EQ(SYS(read(*(int *)fd, &byte, 1)), 1);
    return NULL;
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    int copy = SYS(dup(pair[0])), moved = SYS(dup2(pair[0], 100));
    pthread_t one = spawn(reader, &pair[0]), two = spawn(reader, &copy), three = spawn(reader, &moved);
    let_others_block();
    SYS(write(pair[1], "123", 3));
    join(one);
    join(two);
    join(three);
    ASSERT_EQ(SYS(fcntl(copy, F_SETFL, O_NONBLOCK)), 0);
    char byte;
    FAILS(read(pair[0], &byte, 1), EAGAIN);
    return 0;
}
