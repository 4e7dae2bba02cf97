// getaddrinfo_a: requests in the background, waited for by list, by gai_suspend with a time-out, and told by a signal.
// libs: -lresolv -lanl
// timeout: 60
#include "dns.h"
#include "namespace.h"

enum { REQUESTS = 60 };
static volatile int told;

static void handler(int number)
{
    (void)number;
    told = 1;
}

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    enter_namespaces();
    show("/etc/nsswitch.conf", "hosts: files dns\n");
    show("/etc/resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:9\n");
    dns_start(53);
    join(spawn(nothing, NULL));
    static struct gaicb requests[REQUESTS];
    static char names[REQUESTS][32];
    struct gaicb *list[REQUESTS];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET};
    for (int i = 0; i < REQUESTS; i++) {
        snprintf(names[i], sizeof names[i], "n%d.test", i * 5 + 1);
        requests[i] = (struct gaicb){.ar_name = names[i], .ar_request = &hints};
        list[i] = &requests[i];
    }
    OK(getaddrinfo_a(GAI_WAIT, list, REQUESTS / 2, NULL));
    on_signal(SIGUSR1, handler, 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    OK(getaddrinfo_a(GAI_NOWAIT, list + REQUESTS / 2, REQUESTS / 2, &event));
    struct timespec soon = {.tv_nsec = 1};
    if (gai_suspend((const struct gaicb *const *)list + REQUESTS - 1, 1, &soon) == 0) ASSERT_EQ(gai_error(list[REQUESTS - 1]), 0);
    for (int i = REQUESTS / 2; i < REQUESTS; i++)
        while (gai_error(list[i]) == EAI_INPROGRESS) gai_suspend((const struct gaicb *const *)list + i, 1, NULL);
    UNTIL(told);
    for (int i = 0; i < REQUESTS; i++) {
        OK(gai_error(list[i]));
        unsigned char expected[] = {10, 1, (i * 5 + 1) >> 8, i * 5 + 1};
        ASSERT_MEM(&((struct sockaddr_in *)list[i]->ar_result->ai_addr)->sin_addr, expected, 4);
        freeaddrinfo(list[i]->ar_result);
    }
    return 0;
}
