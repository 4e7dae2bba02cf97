// gethostbyname_r, gethostbyname2_r, gethostbyaddr_r and getnameinfo from 100 threads; gethostbyname under a lock.
// libs: -lresolv
// timeout: 60
#include "dns.h"

enum { THREADS = 100 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *resolves(void *number)
{
    long i = (long)number + 1000;
    char name[32], buffer[4096], expected[64];
    unsigned char v4[4] = {10, 1, i >> 8, i}, v6[16] = {0xfd, [14] = i >> 8, [15] = i};
    struct hostent entry, *found;
    int error;
    dns_use();
    snprintf(name, sizeof name, "n%ld.test", i);
    OK(gethostbyname_r(name, &entry, buffer, sizeof buffer, &found, &error));
    ASSERT(found == &entry);
    ASSERT_MEM(entry.h_addr_list[0], v4, 4);
    OK(gethostbyname2_r(name, AF_INET6, &entry, buffer, sizeof buffer, &found, &error));
    ASSERT(found == &entry);
    ASSERT_MEM(entry.h_addr_list[0], v6, 16);
    OK(gethostbyaddr_r(v4, 4, AF_INET, &entry, buffer, sizeof buffer, &found, &error));
    snprintf(expected, sizeof expected, "10-1-%ld-%ld.test", i >> 8, i & 255);
    ASSERT(found == &entry);
    ASSERT_STR(entry.h_name, expected);
    struct sockaddr_in address = {.sin_family = AF_INET};
    memcpy(&address.sin_addr, v4, 4);
    OK(getnameinfo((struct sockaddr *)&address, sizeof address, buffer, sizeof buffer, NULL, 0, NI_NAMEREQD));
    ASSERT_STR(buffer, expected);
    // An answer in libc's own memory: one at a time.
    OK(pthread_mutex_lock(&lock));
    found = gethostbyname(name);
    ASSERT(found != NULL);
    ASSERT_MEM(found->h_addr_list[0], v4, 4);
    OK(pthread_mutex_unlock(&lock));
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    dns_start(0);
    for (long i = 0; i < THREADS; i++) threads[i] = spawn(resolves, (void *)(i * 5 + 1));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
