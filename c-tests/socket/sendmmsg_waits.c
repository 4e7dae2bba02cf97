// sendmmsg waits for room like the sends that it is made of, sends no more than 1,024, and counts what went before an error.
#include "coop-test.h"

enum { COUNT = 1500 };
static int pair[2];
static struct mmsghdr messages[COUNT];

static void *receiver(void *unused)
{
    char bytes[2048];
    let_others_block();
    for (int i = 0; i < 1024; i++) ASSERT_EQ(recv(pair[1], bytes, sizeof bytes, 0), 1000);
    return unused;
}

int main(void)
{
    static char bytes[1000];
    static struct iovec vector = {bytes, sizeof bytes};
    SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    for (int i = 0; i < COUNT; i++) messages[i].msg_hdr = (struct msghdr){.msg_iov = &vector, .msg_iovlen = 1};
    pthread_t thread = spawn(receiver, NULL);
    ASSERT_EQ(sendmmsg(pair[0], messages, COUNT, 0), 1024);
    for (int i = 0; i < 1024; i++) ASSERT_EQ(messages[i].msg_len, sizeof bytes);
    join(thread);
    messages[2].msg_hdr.msg_iovlen = 1 << 20;
    ASSERT_EQ(sendmmsg(pair[0], messages, COUNT, 0), 2);
    FAILS(sendmmsg(pair[0], messages + 2, 1, 0), EMSGSIZE);
    ASSERT_EQ(sendmmsg(pair[0], messages, 0, 0), 0);
    return 0;
}
