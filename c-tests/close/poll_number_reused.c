// Events of the file that a polled number means by now do not end a poll that began with another.
#include "coop-test.h"

static int old[2], new[2], returned;
static struct pollfd list[1];

static void *poller(void *unused)
{
    (void)unused;
    int found = SYS(poll(list, 1, -1));
    __atomic_store_n(&returned, 1, __ATOMIC_RELEASE);
    return (void *)(intptr_t)found;
}

int main(void)
{
    SYS(pipe(old));
    SYS(pipe(new));
    list[0] = (struct pollfd){old[0], POLLIN, 0};
    pthread_t thread = spawn(poller, NULL);
    until_others_wait();
    SYS(dup2(new[0], old[0]));
    write_all(new[1], "x", 1);
    until_others_wait();
    ASSERT_EQ(__atomic_load_n(&returned, __ATOMIC_ACQUIRE), 0);
    // Its own file's event ends it, and then it is looked at what the number means.
    write_all(old[1], "x", 1);
    ASSERT_EQ((intptr_t)join(thread), 1);
    ASSERT_EQ(list[0].revents, POLLIN);
    return 0;
}
