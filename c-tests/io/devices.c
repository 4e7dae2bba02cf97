// /dev/null, /dev/zero, /dev/urandom and files of /proc read and write as ever from threads.
#include "coop-test.h"

static void *body(void *unused)
{
    (void)unused;
    char bytes[4096];
    int null = SYS(open("/dev/null", O_RDWR)), zero = SYS(open("/dev/zero", O_RDONLY));
    ASSERT_EQ(SYS(read(null, bytes, sizeof bytes)), 0);
    ASSERT_EQ(SYS(write(null, bytes, sizeof bytes)), sizeof bytes);
    memset(bytes, 1, sizeof bytes);
    ASSERT_EQ(SYS(read(zero, bytes, sizeof bytes)), sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) ASSERT_EQ(bytes[i], 0);

    int random = SYS(open("/dev/urandom", O_RDONLY));
    ASSERT_EQ(SYS(read(random, bytes, 64)), 64);
    int status = SYS(open("/proc/self/status", O_RDONLY));
    size_t size = read_all(status, bytes, sizeof bytes - 1);
    bytes[size] = 0;
    char wanted[32];
    snprintf(wanted, sizeof wanted, "Tgid:\t%d\n", getpid());
    ASSERT(strstr(bytes, wanted) != NULL);
    SYS(close(null));
    SYS(close(zero));
    SYS(close(random));
    SYS(close(status));
    return NULL;
}

int main(void)
{
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 8; i++) join(threads[i]);
    body(NULL);
    return 0;
}
