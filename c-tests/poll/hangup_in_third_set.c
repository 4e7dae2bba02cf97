// select's third set is for urgent data only: a hung-up descriptor in it does not end the wait, and does not make it spin.
#include "coop-test.h"
#include <sys/resource.h>
#include <sys/select.h>

static int ends[2], other[2];

static void *selecter(void *unused)
{
    fd_set read_set, third;
    FD_ZERO(&read_set);
    FD_ZERO(&third);
    FD_SET(other[0], &read_set);
    FD_SET(ends[0], &third);
    ASSERT_EQ(SYS(select(other[0] + 1, &read_set, NULL, &third, NULL)), 1);
    ASSERT(FD_ISSET(other[0], &read_set) && !FD_ISSET(ends[0], &third));
    return unused;
}

int main(void)
{
    SYS(pipe(ends));
    SYS(pipe(other));
    SYS(close(ends[1]));
    pthread_t thread = spawn(selecter, NULL);
    until_others_wait();
    write_all(other[1], "x", 1);
    join(thread);
    return 0;
}
