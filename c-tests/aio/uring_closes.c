// A ring closes a descriptor on which a thread has waited before: the number's next file, of whatever kind, is waited for as any other.
#include "ring.h"
#include <sys/eventfd.h>

static int in, out;

static void by_socket(void)
{
    int pair[2];
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    in = pair[0], out = pair[1];
}

static void by_pipe(void)
{
    int pair[2];
    SYS(pipe(pair));
    in = pair[0], out = pair[1];
}

static void by_eventfd(void)
{
    in = SYS(eventfd(0, 0));
    out = SYS(dup(in));
}

static void *reader(void *unused)
{
    uint64_t value = 0;
    ASSERT(SYS(read(in, &value, sizeof value)) == sizeof value);
    ASSERT_EQ(value, 7);
    return unused;
}

static void used(void)
{
    uint64_t value = 7;
    pthread_t thread = spawn(reader, NULL);
    until_others_wait();
    write_all(out, &value, sizeof value);
    join(thread);
}

int main(void)
{
    void (*const kinds[])(void) = {by_socket, by_pipe, by_eventfd, by_socket, by_eventfd, by_pipe, by_pipe};
    struct ring ring = new_ring(8, 0);
    int number = -1;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        kinds[i]();
        if (number != -1) ASSERT_EQ(in, number);
        number = in;
        used();
        int result;
        SYS(close(out));
        push(&ring, IORING_OP_CLOSE, in, NULL, 0, 1);
        ASSERT_EQ(SYS(enter(&ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0)), 1);
        ASSERT_EQ(pop(&ring, &result), 1);
        ASSERT_EQ(result, 0);
        FAILS(fcntl(in, F_GETFD), EBADF);
    }
    return 0;
}
