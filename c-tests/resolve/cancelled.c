// A thread that is cancelled in getaddrinfo, as it waits for an answer, leaves the resolver as it was for the others.
// libs: -lresolv
#include "dns.h"

static struct sockaddr_in silent;
static int waiting;

static void *waits_for_ever(void *unused)
{
    struct addrinfo *list;
    dns_use();
    _res.nsaddr_list[0] = silent;
    __atomic_fetch_add(&waiting, 1, __ATOMIC_RELAXED);
    getaddrinfo("n1.test", NULL, NULL, &list);
    FAIL("not cancelled");
    return unused;
}

static void *resolves(void *unused)
{
    struct addrinfo *list;
    dns_use();
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
    pthread_t threads[10];
    for (int i = 0; i < 10; i++) threads[i] = spawn(waits_for_ever, NULL);
    UNTIL(waiting == 10);
    let_others_block();
    for (int i = 0; i < 10; i++) OK(pthread_cancel(threads[i]));
    for (int i = 0; i < 10; i++) ASSERT_PTR(join(threads[i]), PTHREAD_CANCELED);
    for (int i = 0; i < 10; i++) threads[i] = spawn(resolves, NULL);
    for (int i = 0; i < 10; i++) join(threads[i]);
    return 0;
}
