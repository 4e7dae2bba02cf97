// A vfork child that blocks suspends the thread that made it, and no other: another thread of the process feeds it.
#include "coop-test.h"

static int feed[2];
static volatile int step;

static void *parent(void *unused)
{
    (void)unused;
    volatile char got = 0;
    pid_t child = vfork();
    if (child == 0) {
        step = 1;
        if (read(feed[0], (char *)&got, 1) != 1) _exit(1);
        _exit(got);
    }
    ASSERT_GT(child, 0);
    ASSERT_EQ(got, 'x');
    ASSERT_EQ(step, 2);
    ASSERT_EQ(finish(child), 'x');
    return NULL;
}

int main(void)
{
    SYS(pipe(feed));
    pthread_t thread = spawn(parent, NULL);
    UNTIL(step == 1);
    let_others_block();
    step = 2;
    write_all(feed[1], "x", 1);
    join(thread);
    return 0;
}
