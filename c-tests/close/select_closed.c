// A descriptor closed during a select does not end it; at its end the number counts as ready.
#include "coop-test.h"
#include <sys/select.h>

static int ends[2], other[2];

static void *selecter(void *unused)
{
    (void)unused;
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    FD_SET(other[0], &set);
    int found = select(other[0] + 1, &set, NULL, NULL, NULL);
    ASSERT(FD_ISSET(other[0], &set));
    return (void *)(intptr_t)found;
}

int main(void)
{
    SYS(pipe(ends));
    SYS(pipe(other));
    pthread_t thread = spawn(selecter, NULL);
    until_others_wait();
    SYS(close(ends[0]));
    write_all(other[1], "x", 1);
    // Since Linux 5.13: 2; before: 1. The runner compares with native.
    printf("%d\n", (int)(intptr_t)join(thread));
    fd_set set;
    FD_ZERO(&set);
    FD_SET(ends[0], &set);
    FAILS(select(ends[0] + 1, &set, NULL, NULL, NULL), EBADF);
    return 0;
}
