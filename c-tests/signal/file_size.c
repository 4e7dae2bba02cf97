// Writing beyond RLIMIT_FSIZE: EFBIG, and SIGXFSZ to the thread that wrote.
#include "coop-test.h"
#include <sys/resource.h>

static __thread volatile int handled;

static void handler(int number)
{
    ASSERT_EQ(number, SIGXFSZ);
    handled++;
}

static void *body(void *unused)
{
    char name[] = "/tmp/coop-test-XXXXXX";
    int file = SYS(mkstemp(name));
    SYS(unlink(name));
    handled = 0;
    ASSERT_EQ(SYS(pwrite(file, "1234", 4, 4096 - 4)), 4);
    FAILS(pwrite(file, "x", 1, 4096), EFBIG);
    ASSERT_EQ(handled, 1);
    SYS(lseek(file, 4096, SEEK_SET));
    FAILS(write(file, "x", 1), EFBIG);
    ASSERT_EQ(handled, 2);
    FAILS(ftruncate(file, 8192), EFBIG);
    ASSERT_EQ(handled, 3);
    close(file);
    return unused;
}

int main(void)
{
    struct rlimit limit = {4096, RLIM_INFINITY};
    on_signal(SIGXFSZ, handler, 0);
    SYS(setrlimit(RLIMIT_FSIZE, &limit));
    pthread_t other = spawn(pause_for_ever, NULL);
    join(spawn(body, NULL));
    ASSERT_EQ(handled, 0);
    body(NULL);
    OK(pthread_cancel(other));
    join(other);
    return 0;
}
