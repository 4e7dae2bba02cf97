// recvmsg with MSG_WAITALL on a Unix stream ends where descriptors come, and gets them all; without them it waits for all bytes.
#include "coop-test.h"

static int pair[2];
union control { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; };

static void send_with(int fd, const char *bytes)
{
    union control control = {0};
    struct iovec vector = {(void *)bytes, strlen(bytes)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    ASSERT_EQ(sendmsg(pair[1], &message, 0), (long)strlen(bytes));
}

// The bytes, and 100 for each descriptor that came.
static long receive(size_t size)
{
    union control control = {0};
    char bytes[64];
    struct iovec vector = {bytes, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    long got = SYS(recvmsg(pair[0], &message, MSG_WAITALL));
    ASSERT_EQ(message.msg_flags & MSG_CTRUNC, 0);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL) return got;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    SYS(close(fd));
    return got + 100;
}

static void *receiver(void *unused)
{
    ASSERT_EQ(receive(12), 12);
    ASSERT_EQ(receive(20), 105);
    ASSERT_EQ(receive(20), 105);
    ASSERT_EQ(receive(20), 4);
    return unused;
}

int main(void)
{
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    pthread_t thread = spawn(receiver, NULL);
    let_others_block();
    write_all(pair[1], "first,", 6);
    let_others_block();
    write_all(pair[1], "second", 6);
    let_others_block();
    send_with(1, "third");
    let_others_block();
    send_with(2, "fifth");
    let_others_block();
    write_all(pair[1], "last", 4);
    SYS(close(pair[1]));
    join(thread);
    return 0;
}
