// A program with threads can open as many descriptors as its limit says, the numbers up to the limit, and then gets EMFILE.
#include "coop-test.h"
#include <sys/resource.h>

static void *pauses(void *unused)
{
    return pause_for_ever(unused);
}

int main(void)
{
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    if (limit.rlim_max < 1024) SKIP("the hard limit leaves no room above the soft one");
    limit.rlim_cur = 200;
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    for (int fd = 3; fd < 4096; fd++) close(fd);
    spawn(pauses, NULL);
    spawn(pauses, NULL);
    until_others_wait();
    for (int fd = 3; fd < 200; fd++) ASSERT_EQ(SYS(dup(0)), fd);
    FAILS(dup(0), EMFILE);
    FAILS(socket(AF_INET, SOCK_STREAM, 0), EMFILE);
    FAILS(open("/dev/null", O_RDONLY), EMFILE);
    FAILS(dup2(0, 200), EBADF);
    FAILS(fcntl(0, F_DUPFD, 200), EINVAL);
    struct rlimit now;
    SYS(getrlimit(RLIMIT_NOFILE, &now));
    ASSERT(now.rlim_cur == 200 && now.rlim_max == limit.rlim_max);
    return 0;
}
