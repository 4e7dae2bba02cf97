// The system calls ppoll and pselect6 leave the rest of the time in the program's timespec; read-only memory is forgiven.
#include "coop-test.h"

static const struct timespec constant = {0, 2 * NS_PER_MS};
static int ends[2];

static void *body(void *unused)
{
    struct pollfd one = {ends[0], POLLIN, 0};
    uint64_t set = 1ULL << ends[0];
    struct timespec time = {100, 0};
    write_all(ends[1], "x", 1);
    ASSERT_EQ(syscall(SYS_ppoll, &one, 1, &time, NULL, 8), 1);
    ASSERT(time.tv_sec == 99 || time.tv_sec == 100);
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    time = (struct timespec){0, 3 * NS_PER_MS};
    ASSERT_EQ(syscall(SYS_ppoll, &one, 1, &time, NULL, 8), 0);
    ASSERT(time.tv_sec == 0 && time.tv_nsec == 0);
    time = (struct timespec){0, 3 * NS_PER_MS};
    ASSERT_EQ(syscall(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, &time, NULL), 0);
    ASSERT(time.tv_sec == 0 && time.tv_nsec == 0 && set == 0);
    ASSERT_EQ(syscall(SYS_ppoll, &one, 1, &constant, NULL, 8), 0);
    ASSERT_EQ(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &constant, NULL), 0);
    time = (struct timespec){0, NS_PER_S};
    FAILS(syscall(SYS_ppoll, &one, 1, &time, NULL, 8), EINVAL);
    time = (struct timespec){-1, 0};
    FAILS(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &time, NULL), EINVAL);
    return unused;
}

int main(void)
{
    SYS(pipe(ends));
    join(spawn(body, NULL));
    return 0;
}
