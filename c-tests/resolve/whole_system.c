// As a program finds it: the server in resolv.conf, hosts and its order in files, a search list; 200 threads, and resolv.conf changes meanwhile.
// libs: -lresolv
// timeout: 60
#include "dns.h"
#include "namespace.h"

enum { THREADS = 200 };
static const char configuration[] = "nameserver 127.0.0.1\nsearch other test\noptions timeout:1 attempts:9\n";

static void lookup(const char *name, const char *expected)
{
    char text[64];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = AF_INET}, *list = NULL;
    int error = getaddrinfo(name, "80", &hints, &list);
    if (error) FAIL("%s: %s", name, gai_strerror(error));
    OK(getnameinfo(list->ai_addr, list->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST));
    ASSERT_STR(text, expected);
    ASSERT_EQ(((struct sockaddr_in *)list->ai_addr)->sin_port, htons(80));
    freeaddrinfo(list);
}

static void *resolves(void *number)
{
    long i = (long)number * 5 + 1;
    char name[32], expected[32];
    lookup("local-name", "192.0.2.7");
    snprintf(name, sizeof name, i % 2 ? "n%ld" : "n%ld.test", i);
    snprintf(expected, sizeof expected, "10.1.%ld.%ld", i / 256, i % 256);
    lookup(name, expected);
    lookup("alias-of-it", "192.0.2.7");
    return NULL;
}

int main(void)
{
    enter_namespaces();
    show("/etc/nsswitch.conf", "hosts: files dns\n");
    show("/etc/hosts", "192.0.2.7 local-name alias-of-it\n");
    show("/etc/resolv.conf", configuration);
    dns_start(53);
    static pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) {
        threads[i] = spawn(resolves, (void *)i);
        // The same but for one digit: the resolver notices, and reads it again.
        if (i % 50 == 0) {
            int fd = SYS(open("/etc/resolv.conf", O_WRONLY));
            SYS(pwrite(fd, &"6789"[i / 50], 1, strlen(configuration) - 2));
            SYS(close(fd));
        }
    }
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
