// A thread in poll without time-out goes on when another writes, and sees which of its descriptors is ready.
#include "coop-test.h"

static int first[2], second[2];

static void *poller(void *unused)
{
    (void)unused;
    struct pollfd fds[] = {{first[0], POLLIN, 9}, {second[0], POLLIN, 9}, {-1, POLLIN, 9}, {first[1], 0, 9}};
    ASSERT_EQ(SYS(poll(fds, 4, -1)), 1);
    ASSERT_EQ(fds[0].revents, 0);
    ASSERT_EQ(fds[1].revents, POLLIN);
    ASSERT_EQ(fds[2].revents, 0);
    ASSERT_EQ(fds[3].revents, 0);
    return NULL;
}

int main(void)
{
    SYS(pipe(first));
    SYS(pipe(second));
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = spawn(poller, NULL);
    let_others_block();
    SYS(write(second[1], "x", 1));
    for (int i = 0; i < 5; i++) join(threads[i]);
    return 0;
}
