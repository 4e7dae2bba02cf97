// With 0, 1 and 2 closed, new descriptors get these numbers, in threads as elsewhere.
#include "coop-test.h"

static void *opener(void *unused)
{
    SYS(close(1));
    SYS(close(0));
    int ends[2];
    SYS(pipe(ends));
    ASSERT_EQ(ends[0], 0);
    ASSERT_EQ(ends[1], 1);
    write_all(1, "x", 1);
    char byte;
    ASSERT_EQ(SYS(read(0, &byte, 1)), 1);
    SYS(close(0));
    ASSERT_EQ(SYS(socket(AF_INET, SOCK_STREAM, 0)), 0);
    return unused;
}

int main(void)
{
    join(spawn(opener, NULL));
    join(spawn(opener, NULL));
    return 0;
}
