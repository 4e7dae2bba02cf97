// poll for POLLOUT waits while a pipe or a socket is full and goes on when another thread drains it.
#include "coop-test.h"

static void *poller(void *argument)
{
    struct pollfd one = {(int)(intptr_t)argument, POLLOUT, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    ASSERT_EQ(one.revents, POLLOUT);
    return NULL;
}

static void fill_and_drain(int reader, int writer)
{
    static char bytes[1 << 20];
    SYS(fcntl(writer, F_SETFL, O_NONBLOCK));
    SYS(fcntl(reader, F_SETFL, O_NONBLOCK));
    while (write(writer, bytes, sizeof bytes) > 0) continue;
    ASSERT_EQ(errno, EAGAIN);
    pthread_t thread = spawn(poller, (void *)(intptr_t)writer);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    while (read(reader, bytes, sizeof bytes) > 0) continue;
    join(thread);
}

int main(void)
{
    int fds[2];
    SYS(pipe(fds));
    fill_and_drain(fds[0], fds[1]);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds));
    fill_and_drain(fds[0], fds[1]);
    return 0;
}
