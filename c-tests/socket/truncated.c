// MSG_TRUNC: a datagram's real length; on TCP the bytes are thrown away, and MSG_WAITALL still counts them.
#include "coop-test.h"

static int datagrams[2], stream[2];

static void *receiver(void *unused)
{
    char bytes[8] = "kept";
    struct iovec vector = {bytes, 4};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    ASSERT_EQ(recv(datagrams[0], bytes, 4, MSG_PEEK | MSG_TRUNC), 10);
    ASSERT_EQ(recvmsg(datagrams[0], &message, 0), 4);
    ASSERT_EQ(message.msg_flags & MSG_TRUNC, MSG_TRUNC);
    ASSERT_EQ(recv(datagrams[0], bytes, 0, MSG_TRUNC), 3);
    ASSERT_EQ(recv(stream[0], NULL, 10, MSG_TRUNC | MSG_WAITALL), 10);
    ASSERT_EQ(recv(stream[0], bytes, 8, MSG_WAITALL), 4);
    ASSERT_MEM(bytes, "next", 4);
    return unused;
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams));
    tcp_pair(stream);
    pthread_t thread = spawn(receiver, NULL);
    let_others_block();
    SYS(send(datagrams[1], "0123456789", 10, 0));
    SYS(send(datagrams[1], "012", 3, 0));
    let_others_block();
    write_all(stream[1], "01234", 5);
    let_others_block();
    write_all(stream[1], "56789next", 9);
    SYS(close(stream[1]));
    join(thread);
    return 0;
}
