// O_NONBLOCK belongs to the open file: set through a duplicate, by dup, dup2, fcntl or SCM_RIGHTS, it counts for all.
#include "coop-test.h"

static void *nothing(void *unused)
{
    return unused;
}

// The descriptor as another number, passed through a socket.
static int passed(int fd)
{
    int way[2], got;
    char byte = 'x', room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, way));
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    SYS(sendmsg(way[0], &message, 0));
    message.msg_controllen = sizeof room;
    SYS(recvmsg(way[1], &message, 0));
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof got);
    SYS(close(way[0]));
    SYS(close(way[1]));
    return got;
}

int main(void)
{
    join(spawn(nothing, NULL));
    for (int way = 0; way < 5; way++) {
        int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0)), copy = -1;
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        SYS(bind(fd, (struct sockaddr *)&address, sizeof address));
        if (way == 0) copy = SYS(dup(fd));
        if (way == 1) copy = SYS(dup2(fd, 200));
        if (way == 2) copy = SYS(dup3(fd, 201, O_CLOEXEC));
        if (way == 3) copy = SYS(fcntl(fd, F_DUPFD, 100));
        if (way == 4) copy = passed(fd);
        SYS(fcntl(copy, F_SETFL, O_RDWR | O_NONBLOCK));
        ASSERT_NE(SYS(fcntl(fd, F_GETFL)) & O_NONBLOCK, 0);
        char byte;
        FAILS(recv(fd, &byte, 1, 0), EAGAIN);
        FAILS(read(fd, &byte, 1), EAGAIN);
        SYS(close(copy));
        SYS(close(fd));
    }
    return 0;
}
