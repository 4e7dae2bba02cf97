// sendmsg and recvmsg with several parts wait for each other; MSG_TRUNC tells of what did not fit.
#include "coop-test.h"

static int pair[2];

static void *receiver(void *unused)
{
    (void)unused;
    char one[4] = "", two[9] = "";
    struct iovec parts[] = {{one, 3}, {two, 8}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ASSERT_EQ(SYS(recvmsg(pair[1], &message, 0)), 9);
    ASSERT_STR(one, "abc");
    ASSERT_STR(two, "defghi");
    ASSERT_EQ(message.msg_flags, 0);
    ASSERT_EQ(SYS(recvmsg(pair[1], &message, 0)), 11);
    ASSERT_EQ(message.msg_flags, MSG_TRUNC);
    return NULL;
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    pthread_t thread = spawn(receiver, NULL);
    let_others_block();
    struct iovec parts[] = {{(char *)"abcd", 4}, {(char *)"efghi", 5}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ASSERT_EQ(SYS(sendmsg(pair[0], &message, 0)), 9);
    let_others_block();
    ASSERT_EQ(SYS(send(pair[0], "longer than that", 16, 0)), 16);
    join(thread);
    FAILS(recvmsg(pair[1], (struct msghdr *)8, 0), EFAULT);
    return 0;
}
