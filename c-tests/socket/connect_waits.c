// connect waits while the listener's queue is full, other threads run, and it succeeds once there is room.
#include "coop-test.h"

static struct sockaddr_in address;

static void *client(void *unused)
{
    (void)unused;
    int fd = tcp_connect(&address);
    ASSERT_EQ(fcntl(fd, F_GETFL), O_RDWR);
    return (void *)(intptr_t)fd;
}

int main(void)
{
    int listener = tcp_listener(&address, 0);
    int first = tcp_connect(&address);
    pthread_t thread = spawn(client, NULL);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    SYS(close(SYS(accept(listener, NULL, NULL))));
    // The kernel asks again after a second.
    int server = SYS(accept(listener, NULL, NULL)), second = (int)(intptr_t)join(thread);
    char byte;
    SYS(write(second, "c", 1));
    ASSERT_EQ(SYS(read(server, &byte, 1)), 1);
    ASSERT_EQ(byte, 'c');
    SYS(close(first));
    return 0;
}
