/* Datagrams to and fro between two threads, and between 50 pairs of threads: per round trip. */
#include "bench.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 50, SIZE = 64 };

struct pair {
    int server, client;
    long rounds;
    pthread_t thread;
};

static struct pair pairs[PAIRS];

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

static void *ask(void *arg)
{
    struct pair *p = arg;
    char bytes[SIZE] = "";
    for (long i = 0; i < p->rounds; i++) {
        MUST_ERRNO(send(p->client, bytes, sizeof bytes, 0));
        MUST_ERRNO(recv(p->client, bytes, sizeof bytes, 0));
    }
    return NULL;
}

static void one(long n)
{
    pairs[0].rounds = n;
    ask(&pairs[0]);
}

static void many(long n)
{
    for (int i = 0; i < PAIRS; i++) {
        pairs[i].rounds = n / PAIRS + 1;
        MUST(pthread_create(&pairs[i].thread, NULL, ask, &pairs[i]));
    }
    for (int i = 0; i < PAIRS; i++)
        MUST(pthread_join(pairs[i].thread, NULL));
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    for (int i = 0; i < PAIRS; i++) {
        struct sockaddr_in address, own;
        pthread_t server;
        pairs[i].server = udp_socket(&address);
        pairs[i].client = udp_socket(&own);
        MUST_ERRNO(connect(pairs[i].client, (struct sockaddr *)&address, sizeof address));
        MUST(pthread_create(&server, NULL, serve, &pairs[i]));
        MUST(pthread_detach(server));
    }
    bench_measure("one-pair", one, "ns");
    bench_measure("50-pairs", many, "ns");
}
