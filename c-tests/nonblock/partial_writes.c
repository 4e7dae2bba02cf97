// A non-blocking write moves what there is room for and says how much; then EAGAIN. A blocking one moves all.
#include "coop-test.h"

static char bytes[1 << 20];
static int writing;

static void *writer(void *unused)
{
    (void)unused;
    ASSERT_EQ(SYS(write(writing, bytes, sizeof bytes)), (long)sizeof bytes);
    return NULL;
}

static void fill_and_drain(int reading)
{
    int flags = SYS(fcntl(writing, F_GETFL));
    SYS(fcntl(writing, F_SETFL, flags | O_NONBLOCK));
    size_t in = 0;
    ssize_t n, last = 0;
    while ((n = write(writing, bytes, sizeof bytes)) > 0) in += last = n;
    ASSERT_EQ(errno, EAGAIN);
    ASSERT_LE(last, (ssize_t)sizeof bytes);
    SYS(fcntl(writing, F_SETFL, flags));
    pthread_t thread = spawn(writer, NULL);
    static char got[1 << 16];
    for (size_t out = 0; out < in + sizeof bytes;) out += SYS(read(reading, got, sizeof got));
    join(thread);
    struct pollfd empty = {reading, POLLIN, 0};
    ASSERT_EQ(SYS(poll(&empty, 1, 0)), 0);
}

int main(void)
{
    int ends[2];
    SYS(pipe(ends));
    SYS(fcntl(ends[1], F_SETPIPE_SZ, 1 << 16));
    writing = ends[1];
    SYS(fcntl(writing, F_SETFL, O_WRONLY | O_NONBLOCK));
    ASSERT_EQ(SYS(write(writing, bytes, sizeof bytes)), 1 << 16);
    ASSERT_EQ(read_all(ends[0], bytes, 1 << 16), 1 << 16);
    SYS(fcntl(writing, F_SETFL, O_WRONLY));
    fill_and_drain(ends[0]);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    writing = ends[1];
    fill_and_drain(ends[0]);
    tcp_pair(ends);
    writing = ends[1];
    fill_and_drain(ends[0]);
    return 0;
}
