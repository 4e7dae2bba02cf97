// Where address space is used up, a call beyond the limit of a file's size still brings its signal, however often.
#include "coop-test.h"
#include <setjmp.h>
#include <sys/resource.h>

static sigjmp_buf before;
static volatile int signals;

static void handler(int signal)
{
    (void)signal;
    signals++;
    siglongjmp(before, 1);
}

static void *sleeps(void *unused)
{
    for (;;) sleep(1);
    return unused;
}

int main(void)
{
    const struct rlimit one = {1, 1}, little = {32 << 20, 32 << 20};
    volatile int returns = 0;
    int fd = SYS(open("file", O_RDWR | O_CREAT | O_TRUNC, 0600));
    spawn(sleeps, NULL);
    on_signal(SIGXFSZ, handler, 0);
    SYS(setrlimit(RLIMIT_FSIZE, &one));
    SYS(setrlimit(RLIMIT_AS, &little));
    for (volatile int i = 0; i < 300; i++) {
        if (sigsetjmp(before, 1) != 0) continue;
        (void)!ftruncate(fd, 2);
        returns++;
    }
    ASSERT_EQ(signals, 300);
    ASSERT_EQ(returns, 0);
    return 0;
}
