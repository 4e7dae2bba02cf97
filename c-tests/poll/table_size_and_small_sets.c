// select(getdtablesize(), …) with ordinary sets touches nothing behind them as long as no descriptor is high: in a thread, in a forked
// child and in a program that it executes.
#include "coop-test.h"
#include <sys/resource.h>
#include <sys/select.h>

static void look(void)
{
    struct {
        fd_set set;
        unsigned char behind[4096];
    } at;
    memset(&at, 0, sizeof at);
    memset(at.behind, 0xAA, sizeof at.behind);
    // Were these bits taken for descriptors, they would be bad ones.
    struct timeval wait = {0, 2000}, none = {0, 0};
    FD_SET(0, &at.set);
    SYS(select(getdtablesize(), NULL, NULL, &at.set, &wait));
    SYS(select(getdtablesize(), NULL, NULL, &at.set, &none));
    for (size_t i = 0; i < sizeof at.behind; i++) ASSERT_EQ(at.behind[i], 0xAA);
}

static void *looker(void *unused)
{
    look();
    return unused;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        look();
        return 0;
    }
    for (int fd = 3; fd < 4096; fd++) close(fd);
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_NOFILE, &limit));
    limit.rlim_cur = limit.rlim_max < 8192 ? limit.rlim_max : 8192;
    SYS(setrlimit(RLIMIT_NOFILE, &limit));
    // The table starts small only in a new process.
    if (getenv("FRESH") == NULL) {
        setenv("FRESH", "1", 1);
        execv("/proc/self/exe", argv);
    }
    join(spawn(looker, NULL));
    pid_t child = SYS(fork());
    if (child == 0) {
        look();
        execl("/proc/self/exe", argv[0], "again", NULL);
        _exit(2);
    }
    ASSERT_EQ(finish(child), 0);
    return 0;
}
