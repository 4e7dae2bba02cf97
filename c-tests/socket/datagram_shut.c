// A receive on a datagram socket whose receiving side is shut down, before or while it waits, gives 0; one that does not wait, EAGAIN.
#include "coop-test.h"

static int fd;

static void *receives(void *how)
{
    char byte;
    long calls[] = {recv(fd, &byte, 1, 0), read(fd, &byte, 1)};
    ASSERT_EQ(calls[(intptr_t)how], 0);
    return NULL;
}

int main(void)
{
    for (int udp = 0; udp < 2; udp++) {
        int ends[2] = {-1, -1};
        if (udp) {
            struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
            socklen_t size = sizeof address;
            ends[0] = SYS(socket(AF_INET, SOCK_DGRAM, 0));
            SYS(bind(ends[0], (struct sockaddr *)&address, size));
            SYS(getsockname(ends[0], (struct sockaddr *)&address, &size));
            SYS(connect(ends[0], (struct sockaddr *)&address, size));
        } else {
            SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
        }
        fd = ends[0];
        pthread_t first = spawn(receives, (void *)0), second = spawn(receives, (void *)1);
        until_others_wait();
        SYS(shutdown(fd, SHUT_RD));
        join(first);
        join(second);
        join(spawn(receives, NULL));
        char byte;
        FAILS(recv(fd, &byte, 1, MSG_DONTWAIT), EAGAIN);
    }
    return 0;
}
