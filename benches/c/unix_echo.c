/* 64 bytes to and fro over a Unix stream socket between two threads, and between 50 pairs of threads: per round trip. */
#include "pairs.h"

static void open_pair(struct pair *p)
{
    int ends[2];
    MUST_ERRNO(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    p->server = ends[0];
    p->client = ends[1];
}

static void *serve(void *arg)
{
    struct pair *p = arg;
    char bytes[SIZE];
    for (ssize_t got; (got = read(p->server, bytes, sizeof bytes)) > 0;)
        MUST_ERRNO(write(p->server, bytes, (size_t)got));
    return NULL;
}

static void bench(int argc, char **argv)
{
    (void)argc, (void)argv;
    measure_pairs(open_pair, serve);
}
