// A descriptor closed during a poll does not end it; whatever ends it, the number is then reported as bad.
#include "coop-test.h"

static int first[2], second[2];
static struct pollfd list[2];

static void *poller(void *timeout)
{
    return (void *)(intptr_t)SYS(poll(list, 2, (int)(intptr_t)timeout));
}

int main(void)
{
    for (int timeout = -1; timeout < 100; timeout += 101) {
        SYS(pipe(first));
        SYS(pipe(second));
        list[0] = (struct pollfd){first[0], POLLIN, 0};
        list[1] = (struct pollfd){second[0], POLLIN, 0};
        pthread_t thread = spawn(poller, (void *)(intptr_t)timeout);
        until_others_wait();
        SYS(close(first[0]));
        until_others_wait();
        if (timeout < 0) write_all(second[1], "x", 1);
        ASSERT_EQ((intptr_t)join(thread), timeout < 0 ? 2 : 1);
        ASSERT_EQ(list[0].revents, POLLNVAL);
        ASSERT_EQ(list[1].revents, timeout < 0 ? POLLIN : 0);
        SYS(close(first[1]));
        SYS(close(second[0]));
        SYS(close(second[1]));
    }
    return 0;
}
