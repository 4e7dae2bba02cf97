// UDP: recvfrom waits and tells the sender; an unheard datagram gives ECONNREFUSED to a connected socket.
#include "coop-test.h"

static int socket_at(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    memset(address, 0, size);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));
    SYS(bind(fd, (struct sockaddr *)address, size));
    SYS(getsockname(fd, (struct sockaddr *)address, &size));
    return fd;
}

static void *echo(void *fd)
{
    char message[100];
    struct sockaddr_in peer;
    for (int i = 0; i < 50; i++) {
        socklen_t size = sizeof peer;
        ssize_t got = SYS(recvfrom(*(int *)fd, message, sizeof message, 0, (struct sockaddr *)&peer, &size));
        ASSERT_EQ(SYS(sendto(*(int *)fd, message, got, 0, (struct sockaddr *)&peer, size)), got);
    }
    return NULL;
}

int main(void)
{
    struct sockaddr_in server_address, own;
    char message[100];
    int server = socket_at(&server_address), client = socket_at(&own);
    pthread_t thread = spawn(echo, &server);
    SYS(connect(client, (struct sockaddr *)&server_address, sizeof server_address));
    for (int i = 0; i < 50; i++) {
        memset(message, i, sizeof message);
        ASSERT_EQ(SYS(send(client, message, i + 1, 0)), i + 1);
        ASSERT_EQ(SYS(recv(client, message, sizeof message, 0)), i + 1);
        ASSERT_EQ(message[i], i);
    }
    join(thread);
    SYS(close(server));
    SYS(send(client, "x", 1, 0));
    FAILS(recv(client, message, 1, 0), ECONNREFUSED);
    return 0;
}
