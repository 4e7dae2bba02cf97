// send of 4 MiB waits for the receiver and sends all; MSG_DONTWAIT sends what fits, then is EAGAIN.
#include "coop-test.h"

#define SIZE (4 << 20)

static int pair[2];
static unsigned char bytes[SIZE], got[SIZE];

static void *sender(void *unused)
{
    (void)unused;
    ASSERT_EQ(SYS(send(pair[0], bytes, SIZE, 0)), SIZE);
    return NULL;
}

int main(void)
{
    for (size_t i = 0; i < SIZE; i++) bytes[i] = pattern(i);
    for (int tcp = 0; tcp < 2; tcp++) {
        if (tcp) tcp_pair(pair);
        else SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        // Left to itself TCP may come to have room for all of it.
        int room = 64 << 10;
        SYS(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof room));
        SYS(setsockopt(pair[1], SOL_SOCKET, SO_RCVBUF, &room, sizeof room));
        pthread_t thread = spawn(sender, NULL);
        let_others_block();
        GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
        ASSERT_EQ(read_all(pair[1], got, SIZE), SIZE);
        ASSERT_MEM(got, bytes, SIZE);
        join(thread);
        while (send(pair[0], bytes, 65536, MSG_DONTWAIT) > 0) continue;
        ASSERT_EQ(errno, EAGAIN);
    }
    return 0;
}
