// A thread-per-connection echo server and 200 client threads in one process, every byte checked.
#include "coop-test.h"

#define CLIENTS 200
#define MESSAGES 20
#define SIZE 64

static int listener;

static void *connection(void *argument)
{
    char buffer[SIZE];
    int fd = (int)(intptr_t)argument;
    ssize_t got;
    while ((got = SYS(read(fd, buffer, SIZE))) > 0) write_all(fd, buffer, (size_t)got);
    SYS(close(fd));
    return NULL;
}

static void *acceptor(void *unused)
{
    (void)unused;
    pthread_t connections[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) {
        intptr_t fd = SYS(accept(listener, NULL, NULL));
        connections[i] = spawn_small(connection, (void *)fd);
    }
    for (int i = 0; i < CLIENTS; i++) join(connections[i]);
    return NULL;
}

static void *client(void *address)
{
    char sent[SIZE], got[SIZE];
    int fd = tcp_connect(address);
    for (int i = 0; i < MESSAGES; i++) {
        for (int j = 0; j < SIZE; j++) sent[j] = (char)(fd + i * 7 + j);
        write_all(fd, sent, SIZE);
        ASSERT_EQ(read_all(fd, got, SIZE), SIZE);
        ASSERT_MEM(sent, got, SIZE);
    }
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    struct sockaddr_in address;
    pthread_t clients[CLIENTS];
    listener = tcp_listener(&address, CLIENTS);
    pthread_t server = spawn(acceptor, NULL);
    for (int i = 0; i < CLIENTS; i++) clients[i] = spawn_small(client, &address);
    for (int i = 0; i < CLIENTS; i++) join(clients[i]);
    join(server);
    return 0;
}
