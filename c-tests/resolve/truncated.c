// A truncated answer is asked for again over TCP, by many threads at once; all of its addresses come.
// libs: -lresolv
#include "dns.h"

enum { THREADS = 40 };

static void *resolves(void *number)
{
    char name[32];
    dns_use();
    snprintf(name, sizeof name, "t%ld.test", (long)number);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET}, *list = NULL;
    int error = getaddrinfo(name, NULL, &hints, &list), count = 0;
    if (error) FAIL("%s: %s", name, gai_strerror(error));
    for (struct addrinfo *a = list; a != NULL; a = a->ai_next) count++;
    ASSERT_EQ(count, 100);
    freeaddrinfo(list);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    dns_start(0);
    for (long i = 0; i < THREADS; i++) threads[i] = spawn(resolves, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
