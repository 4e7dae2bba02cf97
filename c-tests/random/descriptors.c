// Threads open, replace, close, read, write, poll and fork with the same few descriptor numbers, in random order, and nobody knows what a number is by the
// time he uses it. Nothing is read that was not written, all waits end as the last descriptors do, and no descriptor is left.
// timeout: 120
#include "seeds.h"
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/uio.h>

enum { SEEDS = 2, FIRST = 40, SLOTS = 10, MOST = 100000, MARK = 0x5a };
static int deeds = 600, workers = 12;
static __thread uint64_t state;
static atomic_int over;

static unsigned below(unsigned n)
{
    return next_below(&state, n);
}

static int slot(void)
{
    return FIRST + below(SLOTS);
}

static struct timespec a_moment(void)
{
    return to_timespec(below(3) ? below(2 * NS_PER_MS) : 0);
}

// Any of these errors is in order; an interruption is not, as no signal comes.
static void in_order(const char *what, long result)
{
    static const int errors[] = {EBADF, EAGAIN, EPIPE, ENOTSOCK, EINVAL, ENOTTY, EISCONN, ENOTCONN, ESPIPE, EEXIST, EPERM, ENOENT, ECONNRESET, EOPNOTSUPP, EDESTADDRREQ};
    if (result >= 0) return;
    for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
        if (errno == errors[i]) return;
    FAIL("%s", what);
}

static void put(int ends[2])
{
    for (int i = 0; i < 2; i++) {
        SYS(dup2(ends[i], slot()));
        SYS(close(ends[i]));
    }
}

static void makes_a_pipe(void)
{
    int ends[2];
    SYS(pipe2(ends, O_CLOEXEC));
    put(ends);
}

static void makes_sockets(void)
{
    int ends[2];
    SYS(socketpair(AF_UNIX, (below(2) ? SOCK_STREAM : SOCK_SEQPACKET) | SOCK_CLOEXEC, 0, ends));
    // Who reads at one end may keep it open for who reads at the other.
    struct timeval moment = {0, 1000 + below(5000)};
    for (int i = 0; i < 2; i++) {
        SYS(setsockopt(ends[i], SOL_SOCKET, SO_RCVTIMEO, &moment, sizeof moment));
        SYS(setsockopt(ends[i], SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof moment));
    }
    put(ends);
}

static void closes(void)
{
    in_order("close", close(slot()));
}

static void replaces(void)
{
    int from = slot();
    in_order("dup2", dup2(from, slot()));
}

static void reads(void)
{
    static __thread unsigned char bytes[MOST];
    size_t size = below(2) ? below(64) : below(MOST);
    long got;
    switch (below(3)) {
    case 0:
        in_order("recv", got = recv(slot(), bytes, size, below(2) ? MSG_DONTWAIT : 0));
        break;
    case 1:
        in_order("readv", got = readv(slot(), &(struct iovec){bytes, size}, 1));
        break;
    default:
        in_order("read", got = read(slot(), bytes, size));
    }
    for (long i = 0; i < got; i++) ASSERT_EQ(bytes[i], MARK);
}

static void writes(void)
{
    static unsigned char bytes[MOST];
    if (bytes[0] == 0) memset(bytes, MARK, sizeof bytes);
    size_t size = below(8) ? below(64) : below(MOST);
    if (below(2)) in_order("write", write(slot(), bytes, size));
    else in_order("send", send(slot(), bytes, size, MSG_NOSIGNAL | (below(2) ? MSG_DONTWAIT : 0)));
}

static void polls(void)
{
    struct pollfd list[SLOTS];
    int count = 1 + below(SLOTS);
    for (int i = 0; i < count; i++) list[i] = (struct pollfd){.fd = slot(), .events = below(2) ? POLLIN : POLLOUT};
    struct timespec moment = a_moment();
    SYS(ppoll(list, count, &moment, NULL));
}

static void selects(void)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(slot(), &set);
    FD_SET(slot(), &set);
    struct timespec moment = a_moment();
    in_order("pselect", pselect(FIRST + SLOTS, below(2) ? &set : NULL, below(2) ? &set : NULL, NULL, &moment, NULL));
}

static void epolls(void)
{
    int set = SYS(epoll_create1(EPOLL_CLOEXEC));
    for (int i = 0; i < 3; i++) {
        struct epoll_event event = {.events = (below(2) ? EPOLLIN : EPOLLOUT) | (below(2) ? EPOLLET : 0)};
        in_order("epoll_ctl", epoll_ctl(set, EPOLL_CTL_ADD, slot(), &event));
    }
    struct epoll_event events[4];
    for (int i = 0; i < 2; i++) SYS(epoll_wait(set, events, 4, below(3)));
    SYS(close(set));
}

static void sets(void)
{
    int fd = slot(), on = below(3) == 0, left;
    if (below(2)) in_order("FIONBIO", ioctl(fd, FIONBIO, &on));
    else in_order("F_SETFL", fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0));
    in_order("FIONREAD", ioctl(slot(), FIONREAD, &left));
    if (below(4) == 0) in_order("shutdown", shutdown(slot(), below(3)));
}

static void moves(void)
{
    int from = slot();
    in_order("splice", splice(from, NULL, slot(), NULL, below(MOST), SPLICE_F_NONBLOCK));
}

static void forks(void)
{
    pid_t pid = SYS(fork());
    if (pid == 0) {
        closes();
        makes_a_pipe();
        _exit(7);
    }
    ASSERT_EQ(finish(pid), 7);
}

static void (*const all_deeds[])(void) = {
    makes_a_pipe, makes_a_pipe, makes_sockets, makes_sockets, closes, replaces, reads, reads, reads, writes, writes, writes,
    polls, selects, epolls, sets, moves, forks,
};

static void *works(void *seed)
{
    state = (uint64_t)seed;
    // A fork now and then is enough.
    for (int i = 0; i < deeds; i++) all_deeds[below(sizeof all_deeds / sizeof *all_deeds - (i % 10 != 0))]();
    over++;
    return NULL;
}

// Where the program has any.
static int open_descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 200; fd++) count += fcntl(fd, F_GETFD) != -1;
    return count;
}

static int run(uint64_t seed)
{
    pthread_t threads[MOST_THREADS];
    SYS(signal(SIGPIPE, SIG_IGN) == SIG_ERR ? -1 : 0);
    int before = open_descriptors();
    for (int i = 0; i < workers; i++) threads[i] = spawn(works, (void *)(uintptr_t)(seed * 1000 + i));
    // Who waits at the end of a pipe waits for the other.
    while (over < workers) {
        for (int i = 0; i < SLOTS; i++) close(FIRST + i);
        sleep_ms(3);
    }
    for (int i = 0; i < workers; i++) join(threads[i]);
    for (int i = 0; i < SLOTS; i++) close(FIRST + i);
    ASSERT_EQ(open_descriptors(), before);
    return 0;
}

int main(int argc, char **argv)
{
    return run_seeds(argc, argv, SEEDS, run, &deeds, &workers);
}
