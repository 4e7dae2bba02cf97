// 500 threads resolve names at once, each its own, against a server that is slow and does not answer every query: all answers are right, and
// others run meanwhile.
// libs: -lresolv
// timeout: 120
#include "dns.h"

enum { THREADS = 500 };
static volatile int turns, over;

static void *resolves(void *number)
{
    long i = (long)number;
    char name[32], service[24], v4[32], v6[64], text[INET6_ADDRSTRLEN];
    dns_use();
    snprintf(name, sizeof name, "%c%ld.test", i % 7 == 3 ? 'c' : 'n', i);
    snprintf(service, sizeof service, "%ld", 1000 + i);
    snprintf(v4, sizeof v4, "10.1.%ld.%ld", i / 256, i % 256);
    snprintf(v6, sizeof v6, i ? "fd00::%lx" : "fd00::", i);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_CANONNAME}, *list = NULL;
    int error = getaddrinfo(name, service, &hints, &list);
    if (error) FAIL("%s: %s", name, gai_strerror(error));
    int families = 0;
    for (struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        OK(getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, name, sizeof name, NI_NUMERICHOST | NI_NUMERICSERV));
        ASSERT_STR(text, a->ai_family == AF_INET ? v4 : v6);
        ASSERT_STR(name, service);
        families |= a->ai_family == AF_INET ? 1 : 2;
    }
    ASSERT_EQ(families, 3);
    freeaddrinfo(list);
    return NULL;
}

static void *runs(void *unused)
{
    for (; !over; turns++) sleep_ms(2);
    return unused;
}

int main(void)
{
    static pthread_t threads[THREADS];
    dns_start(0);
    pthread_t runner = spawn(runs, NULL);
    for (long i = 0; i < THREADS; i++) threads[i] = spawn(resolves, (void *)i);
    int before = turns;
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_GT(turns, before + 10);
    over = 1;
    join(runner);
    return 0;
}
