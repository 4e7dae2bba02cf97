// The finer kinds of data and room: POLLRDNORM, POLLWRNORM and the rest end a wait as POLLIN and POLLOUT do.
#include "coop-test.h"

static int ends[2];

static void *poller(void *events)
{
    struct pollfd one = {(intptr_t)events & POLLWRNORM ? ends[1] : ends[0], (short)(intptr_t)events, 0};
    ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
    return (void *)(intptr_t)one.revents;
}

int main(void)
{
    char byte, bytes[4096] = {0};
    SYS(pipe(ends));
    pthread_t thread = spawn(poller, (void *)(intptr_t)POLLRDNORM);
    until_others_wait();
    write_all(ends[1], "x", 1);
    ASSERT_EQ((intptr_t)join(thread), POLLRDNORM);
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    SYS(fcntl(ends[1], F_SETFL, O_WRONLY | O_NONBLOCK));
    while (write(ends[1], bytes, sizeof bytes) > 0) continue;
    thread = spawn(poller, (void *)(intptr_t)POLLWRNORM);
    until_others_wait();
    for (int i = 0; i < 16; i++) SYS(read(ends[0], bytes, sizeof bytes));
    ASSERT_EQ((intptr_t)join(thread), POLLWRNORM);
    // Nothing asked: only the end of the file counts.
    SYS(pipe(ends));
    thread = spawn(poller, (void *)(intptr_t)0);
    until_others_wait();
    SYS(close(ends[1]));
    ASSERT_EQ((intptr_t)join(thread), POLLHUP);
    return 0;
}
