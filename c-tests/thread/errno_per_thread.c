// errno belongs to a thread: it survives waits in which others set theirs.
#include "coop-test.h"

static void *body(void *argument)
{
    int mine = (int)(intptr_t)argument;
    for (int round = 0; round < 50; round++) {
        errno = mine;
        sched_yield();
        ASSERT_EQ(errno, mine);
        FAILS(close(-1), EBADF);
        sched_yield();
        ASSERT_EQ(errno, EBADF);
        errno = mine;
        usleep(100);
        ASSERT_EQ(errno, mine);
    }
    return &errno;
}

int main(void)
{
    pthread_t threads[20];
    for (intptr_t i = 0; i < 20; i++) threads[i] = spawn(body, (void *)(i + 1));
    errno = 99;
    for (int i = 0; i < 20; i++) ASSERT(join(threads[i]) != &errno);
    ASSERT_EQ(errno, 99);
    return 0;
}
