// poll tells of hang-ups and errors nobody asked for: POLLHUP, POLLERR, POLLRDHUP, and POLLNVAL at once.
#include "coop-test.h"

static short poll_one(int fd, short events)
{
    struct pollfd one = {fd, events, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    return one.revents;
}

static int ends[2], pair[2], full[2];

static void *body(void *argument)
{
    switch ((intptr_t)argument) {
    case 0: ASSERT_EQ(poll_one(ends[0], POLLIN), POLLHUP); break;
    case 1: ASSERT_EQ(poll_one(pair[0], POLLIN | POLLRDHUP) & ~POLLIN, POLLHUP | POLLRDHUP); break;
    case 2: ASSERT_EQ(poll_one(full[1], POLLOUT) & POLLERR, POLLERR); break;
    case 3: ASSERT_EQ(poll_one(12345, POLLIN), POLLNVAL); break;
    }
    return NULL;
}

int main(void)
{
    static char bytes[1 << 20];
    SYS(pipe(ends));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    SYS(pipe(full));
    SYS(fcntl(full[1], F_SETFL, O_NONBLOCK));
    while (write(full[1], bytes, sizeof bytes) > 0) continue;
    pthread_t threads[4];
    for (intptr_t i = 0; i < 4; i++) threads[i] = spawn(body, (void *)i);
    let_others_block();
    SYS(close(ends[1]));
    SYS(close(pair[1]));
    SYS(close(full[0]));
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
