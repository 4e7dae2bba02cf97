// Closing a socket with SO_LINGER waits until its data are with the peer, and only its own thread waits. The number is free at once.
#include "coop-test.h"

static int pair[2];
static volatile int closed;

static void *closer(void *unused)
{
    SYS(close(pair[0]));
    closed = 1;
    return unused;
}

int main(void)
{
    static char bytes[1 << 16];
    tcp_pair(pair);
    struct linger linger = {.l_onoff = 1, .l_linger = 60};
    SYS(setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
    long sent = 0, got, received = 0;
    while ((got = send(pair[0], bytes, sizeof bytes, MSG_DONTWAIT)) > 0) sent += got;
    ASSERT_EQ(errno, EAGAIN);
    pthread_t thread = spawn(closer, NULL);
    let_others_block();
    ASSERT_EQ(closed, 0);
    UNTIL(fcntl(pair[0], F_GETFD) == -1);
    ASSERT_EQ(errno, EBADF);
    while ((got = SYS(read(pair[1], bytes, sizeof bytes))) > 0) received += got;
    ASSERT_EQ(received, sent);
    join(thread);
    return 0;
}
