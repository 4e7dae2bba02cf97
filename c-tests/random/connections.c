// Clients connect in every way, send, half-close and break off, at random, to servers that share their listening sockets: what is sent comes back, in order and
// whole, ends are seen as ends, and nobody is left waiting.
// timeout: 120
#include "seeds.h"
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/uio.h>

enum { SEEDS = 1, LISTENERS = 3, SERVERS = 6, CHUNK = 32768 };
static int each = 40, clients = 8;
static int listeners[LISTENERS];
static atomic_int serving, accepted, connected;
static __thread uint64_t state;

static unsigned below(unsigned n)
{
    return next_below(&state, n);
}

// A connection that its peer has broken off.
static int is_broken(ssize_t result)
{
    return result == -1 && (errno == ECONNRESET || errno == EPIPE);
}

static void wait_until(int fd, int events)
{
    struct pollfd one = {.fd = fd, .events = events};
    if (below(2)) {
        ASSERT_EQ(SYS(poll(&one, 1, -1)), 1);
        return;
    }
    int set = SYS(epoll_create1(EPOLL_CLOEXEC));
    struct epoll_event event = {.events = events};
    SYS(epoll_ctl(set, EPOLL_CTL_ADD, fd, &event));
    ASSERT_EQ(SYS(epoll_wait(set, &event, 1, -1)), 1);
    SYS(close(set));
}

// Sends all, in one of the ways there are; less only if the connection is broken.
static ssize_t sends(int fd, const char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t part = below(2) ? size - done : 1 + below(size - done);
        struct iovec parts[2] = {{(char *)bytes + done, part / 2}, {(char *)bytes + done + part / 2, part - part / 2}};
        ssize_t sent;
        switch (below(3)) {
        case 0:
            sent = send(fd, bytes + done, part, MSG_NOSIGNAL | (below(2) ? MSG_DONTWAIT : 0));
            break;
        case 1:
            sent = sendmsg(fd, &(struct msghdr){.msg_iov = parts, .msg_iovlen = 2}, MSG_NOSIGNAL);
            break;
        default:
            sent = write(fd, bytes + done, part);
        }
        if (is_broken(sent)) return -1;
        if (sent == -1) {
            ASSERT_EQ(errno, EAGAIN);
            wait_until(fd, POLLOUT);
            continue;
        }
        done += sent;
    }
    return size;
}

static ssize_t receives(int fd, char *bytes, size_t size)
{
    for (;;) {
        ssize_t got;
        switch (below(4)) {
        case 0:
            got = recv(fd, bytes, size, MSG_DONTWAIT);
            break;
        case 1:
            got = recv(fd, bytes, size, MSG_PEEK);
            if (got <= 0) break;
            ASSERT_EQ(recv(fd, bytes, got, MSG_WAITALL), got);
            break;
        case 2:
            got = readv(fd, &(struct iovec){bytes, size}, 1);
            break;
        default:
            got = read(fd, bytes, size);
        }
        if (got == -1 && errno == EAGAIN) {
            wait_until(fd, POLLIN);
            continue;
        }
        if (got == -1) ASSERT(is_broken(got));
        return got;
    }
}

static void sets(int fd)
{
    int on = 1;
    struct timeval moment = {0, 1000 + below(20000)};
    if (below(3) == 0) SYS(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on));
    if (below(4) == 0) SYS(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment));
    if (below(4) == 0) SYS(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof moment));
    if (below(4) == 0) SYS(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 5}, sizeof(struct linger)));
    if (below(4) == 0) SYS(fcntl(fd, F_SETFL, O_NONBLOCK));
}

// ---- servers

static void *echoes(void *argument)
{
    int fd = (int)(long)argument;
    char bytes[CHUNK];
    state = fd + 1;
    sets(fd);
    ssize_t got;
    while ((got = receives(fd, bytes, sizeof bytes)) > 0)
        if (sends(fd, bytes, got) == -1) break;
    if (below(3) == 0) shutdown(fd, SHUT_RDWR);
    SYS(close(fd));
    serving--;
    return NULL;
}

static void *accepts(void *argument)
{
    long number = (long)argument;
    int listener = listeners[number % LISTENERS];
    state = number + 100;
    for (;;) {
        if (below(2)) wait_until(listener, POLLIN);
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | (below(3) ? 0 : SOCK_NONBLOCK));
        if (fd == -1 && errno == EINVAL) return NULL;
        if (fd == -1 && errno == ECONNABORTED) continue;
        SYS(fd);
        accepted++;
        serving++;
        if (below(3) == 0) {
            echoes((void *)(long)fd);
            state += number;
        } else {
            OK(pthread_detach(spawn(echoes, (void *)(long)fd)));
        }
    }
}

// ---- clients

static int connects(void)
{
    struct sockaddr_in address;
    SYS(getsockname(listeners[below(LISTENERS)], (struct sockaddr *)&address, &(socklen_t){sizeof address}));
    int fd = SYS(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (below(2) ? SOCK_NONBLOCK : 0), 0));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == -1) {
        ASSERT_EQ(errno, EINPROGRESS);
        wait_until(fd, POLLOUT);
        int error;
        SYS(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof error}));
        ASSERT_EQ(error, 0);
    }
    connected++;
    return fd;
}

static void *calls(void *seed)
{
    state = (uint64_t)seed;
    for (int i = 0; i < each; i++) {
        int fd = connects();
        sets(fd);
        char bytes[CHUNK], back[CHUNK];
        for (int turns = below(6); turns > 0; turns--) {
            size_t size = 1 + below(below(2) ? 100 : CHUNK), done = 0;
            unsigned char first = below(251);
            for (size_t j = 0; j < size; j++) bytes[j] = pattern(first + j);
            ASSERT_EQ(sends(fd, bytes, size), size);
            while (done < size) {
                ssize_t got = receives(fd, back + done, size - done);
                ASSERT_GT(got, 0);
                done += got;
            }
            ASSERT_MEM(bytes, back, size);
        }
        switch (below(4)) {
        case 0:
            // Broken off, with something under way.
            sends(fd, bytes, 1 + below(1000));
            SYS(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger)));
            break;
        case 1:
            SYS(shutdown(fd, SHUT_WR));
            ASSERT_EQ(receives(fd, back, sizeof back), 0);
            break;
        case 2:
            SYS(shutdown(fd, SHUT_RDWR));
            break;
        }
        SYS(close(fd));
    }
    return NULL;
}

static int run(uint64_t seed)
{
    pthread_t servers[SERVERS], threads[MOST_THREADS];
    SYS(signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0);
    for (int i = 0; i < LISTENERS; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        listeners[i] = SYS(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        SYS(bind(listeners[i], (struct sockaddr *)&address, sizeof address));
        SYS(listen(listeners[i], SOMAXCONN));
    }
    for (long i = 0; i < SERVERS; i++) servers[i] = spawn(accepts, (void *)i);
    for (int i = 0; i < clients; i++) threads[i] = spawn(calls, (void *)(uintptr_t)(seed * 1000 + i));
    for (int i = 0; i < clients; i++) join(threads[i]);
    ASSERT_EQ(connected, clients * each);
    // Who accepts, or waits to, is told that there will be no more.
    for (int i = 0; i < LISTENERS; i++) SYS(shutdown(listeners[i], SHUT_RDWR));
    for (int i = 0; i < SERVERS; i++) join(servers[i]);
    UNTIL(serving == 0);
    ASSERT_LE(accepted, connected);
    return 0;
}

int main(int argc, char **argv)
{
    return run_seeds(argc, argv, SEEDS, run, &each, &clients);
}
