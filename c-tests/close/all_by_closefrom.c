// closefrom leaves the threads, and what they wait for, alone.
#include "coop-test.h"

static int before[2], after[2];

static void *reader(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(before[0], &byte, 1)), 1);
    return unused;
}

static void *sleeper(void *unused)
{
    sleep_ms(60);
    return unused;
}

int main(void)
{
    SYS(pipe(before));
    pthread_t thread = spawn(reader, NULL), other = spawn(sleeper, NULL);
    until_others_wait();
    int writing = before[1], kept = SYS(dup2(writing, 0));
    ASSERT_EQ(kept, 0);
    closefrom(3);
    FAILS(write(writing, "x", 1), EBADF);
    write_all(kept, "x", 1);
    join(thread);
    join(other);
    SYS(pipe(after));
    ASSERT_EQ(after[0], 3);
    ASSERT_EQ(after[1], 4);
    before[0] = after[0];
    thread = spawn(reader, NULL);
    until_others_wait();
    write_all(after[1], "x", 1);
    join(thread);
    return 0;
}
