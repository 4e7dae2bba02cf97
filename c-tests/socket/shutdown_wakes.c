// shutdown by one thread ends what others wait for: a read with its end, a write with EPIPE, an accept with EINVAL.
#include "coop-test.h"

static int reading[2], writing[2], listener;

static void *body(void *argument)
{
    static char bytes[1 << 16];
    switch ((intptr_t)argument) {
    case 0: ASSERT_EQ(SYS(recv(reading[0], bytes, 1, 0)), 0); break;
    case 1:
        while (send(writing[0], bytes, sizeof bytes, MSG_NOSIGNAL) > 0) continue;
        ASSERT_EQ(errno, EPIPE);
        break;
    case 2: FAILS(accept(listener, NULL, NULL), EINVAL); break;
    }
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    for (int tcp = 0; tcp < 2; tcp++) {
        if (tcp) {
            tcp_pair(reading);
            tcp_pair(writing);
        } else {
            SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, reading));
            SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, writing));
        }
        listener = tcp_listener(&address, 1);
        pthread_t threads[3];
        for (intptr_t i = 0; i < 3; i++) threads[i] = spawn(body, (void *)i);
        let_others_block();
        SYS(shutdown(reading[0], SHUT_RD));
        SYS(shutdown(writing[0], SHUT_WR));
        SYS(shutdown(listener, SHUT_RDWR));
        for (int i = 0; i < 3; i++) join(threads[i]);
    }
    return 0;
}
