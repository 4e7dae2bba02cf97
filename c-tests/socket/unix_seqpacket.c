// SOCK_SEQPACKET through a listener: connections and packet bounds, several clients in threads.
#include "coop-test.h"
#include <sys/un.h>

static struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "packets"};

static void *client(void *argument)
{
    char packet[64];
    int number = (int)(intptr_t)argument;
    int fd = SYS(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    SYS(connect(fd, (struct sockaddr *)&address, sizeof address));
    for (int i = 1; i <= 20; i++) {
        memset(packet, number, sizeof packet);
        ASSERT_EQ(SYS(send(fd, packet, i, 0)), i);
        ASSERT_EQ(SYS(recv(fd, packet, sizeof packet, 0)), i);
        ASSERT_EQ(packet[i - 1], (char)(number + 1));
    }
    SYS(close(fd));
    return NULL;
}

static void *server(void *argument)
{
    char packet[64];
    int fd = (int)(intptr_t)argument;
    ssize_t got;
    while ((got = SYS(recv(fd, packet, sizeof packet, 0))) > 0) {
        for (ssize_t i = 0; i < got; i++) packet[i]++;
        ASSERT_EQ(SYS(send(fd, packet, got, 0)), got);
    }
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    pthread_t clients[8], servers[8];
    int listener = SYS(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    SYS(bind(listener, (struct sockaddr *)&address, sizeof address));
    SYS(listen(listener, 8));
    for (intptr_t i = 0; i < 8; i++) clients[i] = spawn(client, (void *)i);
    for (int i = 0; i < 8; i++)
        servers[i] = spawn(server, (void *)(intptr_t)SYS(accept(listener, NULL, NULL)));
    for (int i = 0; i < 8; i++) {
        join(clients[i]);
        join(servers[i]);
    }
    return 0;
}
