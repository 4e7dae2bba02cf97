// select and pselect: woken by another thread, sets reduced to what is ready, a bad descriptor is EBADF.
#include "coop-test.h"
#include <sys/select.h>

static int ends[2], quiet[2];

static void *selector(void *by_pselect)
{
    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(ends[0], &readable);
    FD_SET(quiet[0], &readable);
    int most = ends[0] > quiet[0] ? ends[0] : quiet[0];
    if (by_pselect) ASSERT_EQ(SYS(pselect(most + 1, &readable, &writable, NULL, NULL, NULL)), 1);
    else ASSERT_EQ(SYS(select(most + 1, &readable, &writable, NULL, NULL)), 1);
    ASSERT(FD_ISSET(ends[0], &readable));
    ASSERT(!FD_ISSET(quiet[0], &readable));
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    SYS(pipe(quiet));
    pthread_t one = spawn(selector, NULL), two = spawn(selector, &one);
    let_others_block();
    SYS(write(ends[1], "x", 1));
    join(one);
    join(two);

    fd_set readable, writable;
    FD_ZERO(&readable);
    FD_ZERO(&writable);
    FD_SET(ends[0], &readable);
    FD_SET(quiet[1], &writable);
    FD_SET(ends[1], &writable);
    ASSERT_EQ(SYS(select(20, &readable, &writable, NULL, NULL)), 3);
    FD_ZERO(&readable);
    FD_SET(quiet[0], &readable);
    SYS(close(quiet[0]));
    FAILS(select(quiet[0] + 1, &readable, NULL, NULL, NULL), EBADF);
    return 0;
}
