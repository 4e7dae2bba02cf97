// ^D: an empty line is the end of file, which does not stick; after text it hands the text over.
#include "terminal.h"

static int master, slave;

static void *body(void *unused)
{
    (void)unused;
    char line[16];
    ASSERT_EQ(SYS(read(slave, line, sizeof line)), 0);
    ASSERT_EQ(SYS(read(slave, line, sizeof line)), 3);
    ASSERT_MEM(line, "abc", 3);
    ASSERT_EQ(SYS(read(slave, line, 2)), 2);
    ASSERT_MEM(line, "lo", 2);
    ASSERT_EQ(SYS(read(slave, line, sizeof line)), 3);
    ASSERT_MEM(line, "ng\n", 3);
    return NULL;
}

int main(void)
{
    master = new_terminal(&slave);
    pthread_t thread = spawn(body, NULL);
    write_all(master, "\4", 1);
    let_others_block();
    write_all(master, "abc\4", 4);
    let_others_block();
    write_all(master, "long\n", 5);
    join(thread);
    return 0;
}
