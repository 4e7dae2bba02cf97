// close_range of everything leaves the threads working: those that wait keep their files, new files work.
#include "coop-test.h"
#include <linux/close_range.h>

static int waited[2];

static void *reader(void *argument)
{
    char byte = 0;
    SYS(read(*(int *)argument, &byte, 1));
    return (void *)(intptr_t)byte;
}

int main(void)
{
    SYS(pipe(waited));
    int out = SYS(dup2(waited[1], 2000 < sysconf(_SC_OPEN_MAX) ? 500 : 60)), in = waited[0];
    SYS(close(waited[1]));
    pthread_t thread = spawn(reader, &in);
    until_others_wait();
    if (syscall(SYS_close_range, 3, out - 1, 0) == -1 && errno == ENOSYS) SKIP("no close_range here");
    FAILS(fcntl(in, F_GETFD), EBADF);
    write_all(out, "a", 1);
    ASSERT_EQ((intptr_t)join(thread), 'a');
    SYS(syscall(SYS_close_range, 3, ~0U, 0));
    FAILS(write(out, "a", 1), EBADF);
    SYS(syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC));
    FAILS(syscall(SYS_close_range, 4, 3, 0), EINVAL);
    FAILS(syscall(SYS_close_range, 3, ~0U, 64), EINVAL);
    int ends[2];
    SYS(pipe(ends));
    ASSERT_EQ(ends[0], 3);
    thread = spawn(reader, &ends[0]);
    until_others_wait();
    write_all(ends[1], "b", 1);
    ASSERT_EQ((intptr_t)join(thread), 'b');
    return 0;
}
