// close_range with CLOSE_RANGE_UNSHARE in a program with one thread left closes, and later threads work.
#include "coop-test.h"
#include <linux/close_range.h>

static int ends[2];

static void *reader(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return unused;
}

static void *nothing(void *unused)
{
    return unused;
}

int main(void)
{
    join(spawn(nothing, NULL));
    int other = SYS(dup(0));
    if (syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_UNSHARE) == -1 && errno == ENOSYS) SKIP("no close_range here");
    FAILS(fcntl(other, F_GETFD), EBADF);
    SYS(pipe(ends));
    pthread_t thread = spawn(reader, NULL);
    until_others_wait();
    write_all(ends[1], "x", 1);
    join(thread);
    return 0;
}
