// RLIMIT_FSIZE: a write beyond it is cut short, the next fails with EFBIG and its thread gets SIGXFSZ; ftruncate, too.
#include "coop-test.h"
#include <sys/resource.h>

static _Atomic int signals, on_writer;
static pthread_t writer;

static void count(int number)
{
    ASSERT_EQ(number, SIGXFSZ);
    signals++;
    on_writer += pthread_equal(pthread_self(), writer) != 0;
}

static void *body(void *unused)
{
    (void)unused;
    writer = pthread_self();
    char bytes[1500] = {0};
    int fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    ASSERT_EQ(SYS(write(fd, bytes, 1500)), 1000);
    ASSERT_EQ(signals, 0);
    FAILS(write(fd, bytes, 1), EFBIG);
    ASSERT_EQ(signals, 1);
    FAILS(pwrite(fd, bytes, 1, 2000), EFBIG);
    ASSERT_EQ(signals, 2);
    FAILS(ftruncate(fd, 1001), EFBIG);
    ASSERT_EQ(signals, 3);
    FAILS(fallocate(fd, 0, 0, 5000), EFBIG);
    ASSERT_EQ(signals, 4);
    // Too large for the file system is another matter.
    FAILS(pwrite(fd, bytes, 1, INT64_MAX - 1), EFBIG);
    return NULL;
}

int main(void)
{
    struct rlimit limit = {1000, RLIM_INFINITY};
    SYS(setrlimit(RLIMIT_FSIZE, &limit));
    on_signal(SIGXFSZ, count, 0);
    join(spawn(body, NULL));
    ASSERT_EQ(signals, on_writer);
    return 0;
}
