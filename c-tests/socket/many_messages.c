// recvmmsg waits for its first message (MSG_WAITFORONE) or for all; sendmmsg sends several.
#include "coop-test.h"

static int pair[2];

static void *receiver(void *argument)
{
    char buffers[4][8];
    struct iovec parts[4];
    struct mmsghdr messages[4];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 4; i++) {
        parts[i] = (struct iovec){buffers[i], sizeof buffers[i]};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int flags = (int)(intptr_t)argument;
    int got = SYS(recvmmsg(pair[1], messages, 4, flags, NULL));
    for (int i = 0; i < got; i++) ASSERT_EQ(messages[i].msg_len, 3);
    return (void *)(intptr_t)got;
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    pthread_t thread = spawn(receiver, (void *)MSG_WAITFORONE);
    let_others_block();
    SYS(send(pair[0], "one", 3, 0));
    ASSERT_EQ((intptr_t)join(thread), 1);

    struct iovec part = {(char *)"two", 3};
    struct mmsghdr messages[2];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 2; i++) {
        messages[i].msg_hdr.msg_iov = &part;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    thread = spawn(receiver, NULL);
    for (int i = 0; i < 2; i++) {
        let_others_block();
        ASSERT_EQ(SYS(sendmmsg(pair[0], messages, 2, 0)), 2);
    }
    ASSERT_EQ((intptr_t)join(thread), 4);
    return 0;
}
