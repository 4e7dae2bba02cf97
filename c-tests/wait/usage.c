// wait4 and wait3 from a thread give the child's own use of resources.
#include "coop-test.h"
#include <sys/resource.h>

static void *waits(void *argument)
{
    struct rusage usage;
    int status;
    memset(&usage, 0xff, sizeof usage);
    pid_t child = (pid_t)(intptr_t)argument;
    ASSERT_EQ(SYS(wait4(child, &status, 0, &usage)), child);
    ASSERT_EQ(WEXITSTATUS(status), 5);
    ASSERT_GE(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec + usage.ru_stime.tv_sec * 1000000, 15000);
    ASSERT_LT(usage.ru_utime.tv_sec, 1000);
    ASSERT_GT(usage.ru_maxrss, 0);
    return NULL;
}

int main(void)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        while (clock() < CLOCKS_PER_SEC / 50) continue;
        _exit(5);
    }
    join(spawn(waits, (void *)(intptr_t)child));
    FAILS(wait3(NULL, 0, NULL), ECHILD);
    return 0;
}
