// A duplicate got by pidfd_getfd shares the open file and its O_NONBLOCK.
#include "coop-test.h"

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    join(spawn(nothing, NULL));
    int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    SYS(bind(fd, (struct sockaddr *)&address, sizeof address));
    int self = syscall(SYS_pidfd_open, getpid(), 0);
    int copy = self == -1 ? -1 : syscall(SYS_pidfd_getfd, self, fd, 0);
    if (copy == -1) SKIP("no pidfd_getfd here");
    SYS(fcntl(copy, F_SETFL, O_RDWR | O_NONBLOCK));
    char byte;
    FAILS(recv(fd, &byte, 1, 0), EAGAIN);
    return 0;
}
