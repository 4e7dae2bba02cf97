// A connection on its way: EINPROGRESS, then EALREADY, from whichever thread; a time-out and a signal end the wait and not the connection.
// timeout: 60
#include "coop-test.h"

static struct sockaddr_in address;
static int fd;
static volatile int ended;

static void handler(int number)
{
    (void)number;
}

static void nonblocking(int on)
{
    SYS(fcntl(fd, F_SETFL, (fcntl(fd, F_GETFL) & ~O_NONBLOCK) | (on ? O_NONBLOCK : 0)));
}

static void *interrupted(void *unused)
{
    FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), EINTR);
    ended = 1;
    return unused;
}

static void *finishes(void *unused)
{
    SYS(connect(fd, (struct sockaddr *)&address, sizeof address));
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    int listener = tcp_listener(&address, 0);
    // Fill the backlog: further connections are not answered until accept makes room.
    int first = tcp_connect(&address);
    fd = SYS(socket(AF_INET, SOCK_STREAM, 0));
    nonblocking(1);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) SKIP("the backlog is not full");
    ASSERT_EQ(errno, EINPROGRESS);
    FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), EALREADY);
    nonblocking(0);
    struct timeval time = {.tv_usec = 20000};
    SYS(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
    FAILS(connect(fd, (struct sockaddr *)&address, sizeof address), EALREADY);
    int other = SYS(socket(AF_INET, SOCK_STREAM, 0));
    SYS(setsockopt(other, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
    FAILS(connect(other, (struct sockaddr *)&address, sizeof address), EINPROGRESS);
    FAILS(connect(other, (struct sockaddr *)&address, sizeof address), EALREADY);
    SYS(close(other));
    time.tv_usec = 0;
    SYS(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
    pthread_t thread = spawn(interrupted, NULL);
    for (; !ended; sleep_ms(5)) OK(pthread_kill(thread, SIGUSR1));
    join(thread);
    thread = spawn(finishes, NULL);
    SYS(close(SYS(accept(listener, NULL, NULL))));
    // The next SYN is sent within a second or two.
    join(thread);
    ASSERT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    SYS(close(first));
    return 0;
}
