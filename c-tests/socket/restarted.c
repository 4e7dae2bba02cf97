// A handler with SA_RESTART lets a socket call go on; one with a time-out ends with EINTR all the same (signal(7)); without SA_RESTART all do.
#include "coop-test.h"

static int stream[2], full[2], datagrams[2], listener;
static volatile int handled, ended;
static long result;
static int error;

static void handler(int number)
{
    (void)number;
    handled++;
}

static char bytes[1 << 16];
static struct iovec vector = {bytes, 1};
static struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
static struct mmsghdr several = {.msg_hdr = {.msg_iov = &vector, .msg_iovlen = 1}};

static long call(int which)
{
    switch (which) {
    case 0: return recv(stream[0], bytes, 1, 0);
    case 1: return read(stream[0], bytes, 1);
    case 2: return recvmsg(stream[0], &message, 0);
    case 3: return recvmmsg(datagrams[0], &several, 1, 0, NULL);
    case 4: return accept(listener, NULL, NULL);
    case 5: return recvfrom(datagrams[0], bytes, 1, 0, NULL, NULL);
    default: return send(full[0], bytes, 1, 0);
    }
}

static void *caller(void *which)
{
    result = call((long)which);
    error = errno;
    ended = 1;
    return NULL;
}

// Strikes the call with a signal; lets it end if it goes on.
static void strike(long which, int flags, int goes_on)
{
    on_signal(SIGUSR1, handler, flags);
    handled = ended = 0;
    pthread_t thread = spawn(caller, (void *)which);
    let_others_block();
    if (!goes_on) {
        for (; !ended; sleep_ms(5)) OK(pthread_kill(thread, SIGUSR1));
        join(thread);
        ASSERT_EQ(result, -1);
        ASSERT_EQ(error, EINTR);
        return;
    }
    OK(pthread_kill(thread, SIGUSR1));
    UNTIL(handled);
    sleep_ms(10);
    ASSERT_EQ(ended, 0);
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    SYS(getsockname(listener, (struct sockaddr *)&address, &size));
    if (which == 4) SYS(close(tcp_connect(&address)));
    else if (which == 6) for (; !ended; sleep_ms(1)) recv(full[1], bytes, sizeof bytes, MSG_DONTWAIT);
    else SYS(write(which == 3 || which == 5 ? datagrams[1] : stream[1], "x", 1));
    join(thread);
    ASSERT_GE(result, 0);
}

int main(void)
{
    struct sockaddr_in address;
    listener = tcp_listener(&address, 4);
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, stream));
    SYS(socketpair(AF_UNIX, SOCK_DGRAM, 0, datagrams));
    for (int timed = 0; timed < 2; timed++) {
        for (long which = 0; which < 7; which++) {
            if (which == 6) {
                SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, full));
                while (send(full[0], bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
            }
            struct timeval time = {.tv_sec = timed * 100};
            int fds[] = {stream[0], datagrams[0], listener, full[0]};
            for (int i = 0; i < 4; i++) {
                setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
                setsockopt(fds[i], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
            }
            strike(which, 0, 0);
            strike(which, SA_RESTART, !timed);
        }
    }
    return 0;
}
