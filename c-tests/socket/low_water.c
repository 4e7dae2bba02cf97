// SO_RCVLOWAT: a blocking receive in any form waits for so many bytes, and for no more than it asks for.
#include "coop-test.h"
#include <sys/uio.h>

static int pair[2];

static void *reader(void *unused)
{
    char bytes[64];
    struct iovec vector = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ASSERT_GE(SYS(read(pair[0], bytes, sizeof bytes)), 10);
    ASSERT_EQ(recv(pair[0], bytes, 4, 0), 4);
    ASSERT_GE(SYS(recv(pair[0], bytes, sizeof bytes, 0)), 10);
    ASSERT_GE(SYS(readv(pair[0], &vector, 1)), 10);
    ASSERT_GE(SYS(recvmsg(pair[0], &message, 0)), 10);
    ASSERT_EQ(read(pair[0], bytes, sizeof bytes), 3);
    ASSERT_EQ(read(pair[0], bytes, sizeof bytes), 0);
    return unused;
}

int main(void)
{
    for (int tcp = 0; tcp < 2; tcp++) {
        if (tcp)
            tcp_pair(pair);
        else
            SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
        int mark = 10;
        SYS(setsockopt(pair[0], SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof mark));
        pthread_t thread = spawn(reader, NULL);
        for (int part = 0; part < 5; part++) {
            let_others_block();
            if (part == 1) {
                write_all(pair[1], "four", 4);
                continue;
            }
            write_all(pair[1], "hello", 5);
            let_others_block();
            write_all(pair[1], "world", 5);
        }
        let_others_block();
        write_all(pair[1], "end", 3);
        let_others_block();
        SYS(close(pair[1]));
        join(thread);
        SYS(close(pair[0]));
    }
    return 0;
}
