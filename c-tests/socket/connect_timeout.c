// SO_SNDTIMEO ends a connect that waits with EINPROGRESS, not early.
#include "coop-test.h"

static struct sockaddr_in address;

static void *client(void *unused)
{
    (void)unused;
    struct timeval timeout = {.tv_usec = 60 * 1000};
    int fd = SYS(socket(AF_INET, SOCK_STREAM, 0));
    SYS(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout));
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    // The kernel counts it in ticks, which may begin up to one early.
    ASSERT_GE(ms_since(start), 60 - 10);
    ASSERT_EQ(fcntl(fd, F_GETFL), O_RDWR);
    return NULL;
}

int main(void)
{
    tcp_listener(&address, 0);
    tcp_connect(&address);
    pthread_t one = spawn(client, NULL), two = spawn(client, NULL);
    join(one);
    join(two);
    return 0;
}
