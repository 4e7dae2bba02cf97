// A descriptor sent over a Unix socket (SCM_RIGHTS) to a thread that waits is the same file under a new number.
#include "coop-test.h"

static int pair[2];

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

static void *receiver(void *unused)
{
    (void)unused;
    char byte;
    union control control;
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ASSERT_EQ(SYS(recvmsg(pair[0], &message, MSG_CMSG_CLOEXEC)), 1);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    ASSERT(header != NULL);
    ASSERT_EQ(header->cmsg_type, SCM_RIGHTS);
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    ASSERT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    // The pipe is empty: this waits, on a file that came through the socket.
    ASSERT_EQ(SYS(read(fd, &byte, 1)), 1);
    return (void *)(intptr_t)byte;
}

int main(void)
{
    int ends[2];
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SYS(pipe(ends));
    pthread_t thread = spawn(receiver, NULL);
    let_others_block();
    union control control;
    memset(&control, 0, sizeof control);
    struct iovec part = {(char *)"x", 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    control.header = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &ends[0], sizeof(int));
    ASSERT_EQ(SYS(sendmsg(pair[1], &message, 0)), 1);
    SYS(close(ends[0]));
    let_others_block();
    SYS(write(ends[1], "R", 1));
    ASSERT_EQ((intptr_t)join(thread), 'R');
    return 0;
}
