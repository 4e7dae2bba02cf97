// A descriptor on which a thread waits is closed when there is no other left: the thread gets its data or EBADF, and nothing hangs.
#include "coop-test.h"
#include <sys/resource.h>

static int ends[2];

static void *reader(void *unused)
{
    (void)unused;
    char byte;
    ssize_t n = read(ends[0], &byte, 1);
    if (n == -1) ASSERT_EQ(errno, EBADF);
    else ASSERT_EQ(n, 1);
    return NULL;
}

int main(void)
{
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = 64;
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    SYS(pipe(ends));
    SYS(fcntl(ends[1], F_SETFL, O_WRONLY));
    signal(SIGPIPE, SIG_IGN);
    pthread_t thread = spawn(reader, NULL);
    until_others_wait();
    while (dup(0) != -1) continue;
    SYS(close(ends[0]));
    if (write(ends[1], "x", 1) == -1) ASSERT_EQ(errno, EPIPE);
    join(thread);
    ASSERT_EQ(SYS(dup(0)), ends[0]);
    return 0;
}
