// SIGPIPE is for streams, in whatever form they are written, and not with MSG_NOSIGNAL; a datagram socket that may not send says EPIPE only.
#include "coop-test.h"
#include <sys/uio.h>

static volatile int pipes;

static void handler(int number)
{
    (void)number;
    pipes++;
}

static void *writer(void *stream)
{
    int pair[2], expected = stream ? 1 : 0;
    SYS(socketpair(AF_UNIX, stream ? SOCK_STREAM : SOCK_DGRAM, 0, pair));
    struct iovec vector = {"x", 1};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    struct mmsghdr several = {.msg_hdr = message};
    SYS(shutdown(pair[0], SHUT_WR));
#define ENDS(call, signals) pipes = 0; FAILS(call, EPIPE); ASSERT_EQ(pipes, signals)
    ENDS(write(pair[0], "x", 1), expected);
    ENDS(writev(pair[0], &vector, 1), expected);
    ENDS(send(pair[0], "x", 1, 0), expected);
    ENDS(sendmsg(pair[0], &message, 0), expected);
    ENDS(sendmmsg(pair[0], &several, 1, 0), expected);
    ENDS(send(pair[0], "x", 1, MSG_NOSIGNAL), 0);
    ENDS(sendmsg(pair[0], &message, MSG_NOSIGNAL), 0);
    ENDS(send(pair[0], "x", 1, MSG_DONTWAIT), expected);
    SYS(close(pair[0]));
    SYS(close(pair[1]));
    return NULL;
}

int main(void)
{
    on_signal(SIGPIPE, handler, 0);
    join(spawn(writer, "stream"));
    join(spawn(writer, NULL));
    return 0;
}
