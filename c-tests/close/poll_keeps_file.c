// A poll holds its files: a socket closed meanwhile is closed for its peer when the poll is over. Its events still end the poll.
#include "coop-test.h"

static int ends[2], gone;
static struct pollfd list[1];

static void *poller(void *unused)
{
    (void)unused;
    int found = SYS(poll(list, 1, -1));
    __atomic_store_n(&gone, 1, __ATOMIC_RELEASE);
    return (void *)(intptr_t)found;
}

int main(void)
{
    char byte;
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    list[0] = (struct pollfd){ends[0], POLLIN, 0};
    pthread_t thread = spawn(poller, NULL);
    until_others_wait();
    SYS(close(ends[0]));
    until_others_wait();
    FAILS(recv(ends[1], &byte, 1, MSG_DONTWAIT), EAGAIN);
    ASSERT_EQ(gone, 0);
    write_all(ends[1], "x", 1);
    ASSERT_EQ((intptr_t)join(thread), 1);
    ASSERT_EQ(list[0].revents, POLLNVAL);
    // Unread data when it closed.
    FAILS(recv(ends[1], &byte, 1, 0), ECONNRESET);
    return 0;
}
