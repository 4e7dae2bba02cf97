/* Datagrams to and fro between two threads, and between 50 pairs of threads: per round trip. */
#include "pairs.h"
#include <arpa/inet.h>

static int udp_socket(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    MUST_ERRNO(fd);
    *address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    MUST_ERRNO(bind(fd, (struct sockaddr *)address, size));
    MUST_ERRNO(getsockname(fd, (struct sockaddr *)address, &size));
    return fd;
}

static void open_pair(struct pair *p)
{
    struct sockaddr_in address, own;
    p->server = udp_socket(&address);
    p->client = udp_socket(&own);
    MUST_ERRNO(connect(p->client, (struct sockaddr *)&address, sizeof address));
}

static void *serve(void *arg)
{
    struct pair *p = arg;
    char bytes[SIZE];
    struct sockaddr_in from;
    for (;;) {
        socklen_t size = sizeof from;
        ssize_t got = recvfrom(p->server, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &size);
        if (got <= 0)
            return NULL;
        MUST_ERRNO(sendto(p->server, bytes, (size_t)got, 0, (struct sockaddr *)&from, size));
    }
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    measure_pairs(open_pair, serve);
}
