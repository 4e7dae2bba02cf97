// The error queue never waits: EAGAIN when it is empty, on a blocking socket, too; a refused datagram is reported there.
#include "coop-test.h"
#include <linux/errqueue.h>

static void *asks(void *unused)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int closed = SYS(socket(AF_INET, SOCK_DGRAM, 0)), fd = SYS(socket(AF_INET, SOCK_DGRAM, 0)), on = 1;
    SYS(bind(closed, (struct sockaddr *)&address, size));
    SYS(getsockname(closed, (struct sockaddr *)&address, &size));
    SYS(close(closed));
    SYS(setsockopt(fd, SOL_IP, IP_RECVERR, &on, sizeof on));
    char control[256], bytes[8];
    struct iovec vector = {bytes, sizeof bytes};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    FAILS(recvmsg(fd, &message, MSG_ERRQUEUE), EAGAIN);
    FAILS(recv(fd, bytes, sizeof bytes, MSG_ERRQUEUE), EAGAIN);
    SYS(sendto(fd, "lost", 4, 0, (struct sockaddr *)&address, size));
    struct pollfd error = {.fd = fd};
    ASSERT_EQ(poll(&error, 1, -1), 1);
    ASSERT_EQ(error.revents, POLLERR);
    ASSERT_EQ(recvmsg(fd, &message, MSG_ERRQUEUE), 4);
    ASSERT_EQ(message.msg_flags & MSG_ERRQUEUE, MSG_ERRQUEUE);
    struct sock_extended_err *report = (void *)CMSG_DATA(CMSG_FIRSTHDR(&message));
    ASSERT_EQ(report->ee_errno, ECONNREFUSED);
    ASSERT_MEM(bytes, "lost", 4);
    return unused;
}

int main(void)
{
    join(spawn(asks, NULL));
    return 0;
}
