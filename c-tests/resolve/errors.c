// Names that are not there, a server that is not there, and one that never answers: each thread gets its own error.
// libs: -lresolv
#include "dns.h"

static struct sockaddr_in silent;

static void *no_name(void *unused)
{
    struct addrinfo *list;
    dns_use();
    for (int i = 0; i < 20; i++) ASSERT_EQ(getaddrinfo("x1.test", NULL, NULL, &list), EAI_NONAME);
    ASSERT(gethostbyname("x2.test") == NULL);
    ASSERT_EQ(h_errno, HOST_NOT_FOUND);
    return unused;
}

static void *no_server(void *unused)
{
    struct addrinfo *list;
    dns_use();
    _res.nsaddr_list[0].sin_port = htons(9);
    ASSERT_EQ(getaddrinfo("n1.test", NULL, NULL, &list), EAI_AGAIN);
    return unused;
}

static void *no_answer(void *unused)
{
    struct addrinfo *list;
    dns_use();
    _res.nsaddr_list[0] = silent;
    _res.retry = 1;
    int64_t start = now_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(getaddrinfo("n1.test", NULL, NULL, &list), EAI_AGAIN);
    ASSERT_GE(ms_since(start), 990);
    return unused;
}

static void *second_server(void *unused)
{
    struct addrinfo *list;
    dns_use();
    _res.nscount = 2;
    _res.nsaddr_list[1] = _res.nsaddr_list[0];
    _res.nsaddr_list[0] = silent;
    OK(getaddrinfo("n1.test", NULL, NULL, &list));
    freeaddrinfo(list);
    return unused;
}

int main(void)
{
    socklen_t size = sizeof silent;
    silent = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    dns_start(0);
    int fd = SYS(socket(AF_INET, SOCK_DGRAM, 0));
    SYS(bind(fd, (struct sockaddr *)&silent, size));
    SYS(getsockname(fd, (struct sockaddr *)&silent, &size));
    void *(*bodies[])(void *) = {no_name, no_server, no_answer, second_server};
    pthread_t threads[40];
    for (int i = 0; i < 40; i++) threads[i] = spawn(bodies[i % 4], NULL);
    for (int i = 0; i < 40; i++) join(threads[i]);
    return 0;
}
