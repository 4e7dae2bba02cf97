// recvmmsg: its time counts, is written back, and looked at after each message only; one is enough with MSG_WAITFORONE.
#include "coop-test.h"

enum { COUNT = 4 };
static int pair[2];
static struct mmsghdr messages[COUNT];
static char bytes[COUNT][16];

static void *sender(void *unused)
{
    for (int i = 0; i < COUNT; i++) {
        let_others_block();
        SYS(send(pair[1], "hello", i + 1, 0));
    }
    return unused;
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
    static struct iovec vectors[COUNT];
    for (int i = 0; i < COUNT; i++) {
        vectors[i] = (struct iovec){bytes[i], sizeof bytes[i]};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &vectors[i], .msg_iovlen = 1};
    }
    struct timespec time = {.tv_sec = 60};
    pthread_t thread = spawn(sender, NULL);
    ASSERT_EQ(recvmmsg(pair[0], messages, COUNT, 0, &time), COUNT);
    join(thread);
    for (int i = 0; i < COUNT; i++) ASSERT_EQ(messages[i].msg_len, i + 1);
    ASSERT_LT(time.tv_sec, 60);
    ASSERT_GT(time.tv_sec, 20);

    // The time is over before the first message: that one is waited for, no more.
    time = (struct timespec){.tv_nsec = 1};
    thread = spawn(sender, NULL);
    ASSERT_EQ(recvmmsg(pair[0], messages, COUNT, 0, &time), 1);
    ASSERT_EQ(time.tv_sec + time.tv_nsec, 0);
    join(thread);
    ASSERT_EQ(recvmmsg(pair[0], messages, COUNT, MSG_WAITFORONE, NULL), COUNT - 1);
    FAILS(recvmmsg(pair[0], messages, COUNT, MSG_DONTWAIT, NULL), EAGAIN);
    time = (struct timespec){.tv_nsec = NS_PER_S};
    FAILS(recvmmsg(pair[0], messages, COUNT, 0, &time), EINVAL);
    FAILS(recvmmsg(-1, messages, COUNT, 0, NULL), EBADF);
    return 0;
}
