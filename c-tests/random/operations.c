// Random operations on a few descriptors by several threads: what each gives, and what is left, is the same natively and preloaded.
// timeout: 120
//
// One process a seed. A seed's operations, in order, each with its thread and its result, go to stdout; an operation that waits
// is reported when a later one, or the signal at the end, completes it. So that the outcome does not depend on who comes first, there is
// never more than one thread that waits for the same thing. `operations SEED [COUNT]` runs one seed, and its first COUNT operations only:
// how to find a small example when the runner shows a difference.
#include "coop-test.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>

enum { SEEDS = 12, OPERATIONS = 60, WORKERS = 3, FIRST = 20, SLOTS = 8, ANCHOR = 60 };

enum what { READ, RECV, PEEK, WRITE, SEND, POLL, SELECT, EPOLL_WAIT, KINDS };
static const char *const names[] = {"read", "recv", "peek", "write", "send", "poll", "select", "epoll_wait"};

struct worker {
    enum what what;
    int fd, second, events, size, wait;
    unsigned char bytes[8192];
    long result;
    int error;
    int busy;    // an operation is under way
    int pending; // and it waits
    int file;    // the open file that it is on
    sem_t go;
    pthread_t thread;
};

static struct worker workers[WORKERS];
// The open file behind each number; 0: closed. Two that were made together differ in the last bit only.
static int file_of[SLOTS], files, operation;
static uint64_t state;

static unsigned below(unsigned n)
{
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(state >> 33) % n;
}

static long perform(struct worker *w)
{
    struct pollfd list[2] = {{w->fd, (short)w->events, 0}, {w->second, POLLIN, 0}};
    struct epoll_event event = {0};
    struct timeval none = {0, 0};
    fd_set set;
    long result;
    switch (w->what) {
    case READ: return read(w->fd, w->bytes, w->size);
    case RECV: return recv(w->fd, w->bytes, w->size, 0);
    case PEEK: return recv(w->fd, w->bytes, w->size, MSG_PEEK | MSG_DONTWAIT);
    case WRITE: return write(w->fd, w->bytes, w->size);
    case SEND: return send(w->fd, w->bytes, w->size, MSG_NOSIGNAL);
    case POLL:
        result = poll(list, 2, w->wait ? -1 : 0);
        return result < 0 ? result : result * 1000000 + list[0].revents * 1000 + list[1].revents;
    case SELECT:
        FD_ZERO(&set);
        FD_SET(w->fd, &set);
        FD_SET(w->second, &set);
        result = select(64, &set, NULL, NULL, w->wait ? NULL : &none);
        return result < 0 ? result : result * 100 + FD_ISSET(w->fd, &set) * 10 + FD_ISSET(w->second, &set);
    case EPOLL_WAIT:
        result = epoll_wait(w->fd, &event, 1, w->wait ? -1 : 0);
        return result < 1 ? result : (long)(event.data.u32 * 100000 + event.events);
    default: return 0;
    }
}

static void *work(void *argument)
{
    struct worker *w = argument;
    for (;;) {
        while (sem_wait(&w->go) == -1) continue;
        errno = 0;
        w->result = perform(w);
        w->error = w->result == -1 ? errno : 0;
        __atomic_store_n(&w->busy, 0, __ATOMIC_RELEASE);
    }
    return NULL;
}

static void interrupted(int number)
{
    (void)number;
}

static int takes_bytes(enum what what)
{
    return what == READ || what == RECV || what == PEEK;
}

static void report(struct worker *w)
{
    printf("%3d w%d %s(%d) = %ld", operation, (int)(w - workers), names[w->what], w->fd, w->result);
    if (w->error) printf(" %s", strerrorname_np(w->error));
    unsigned sum = 0;
    for (long i = 0; takes_bytes(w->what) && i < w->result; i++) sum = sum * 31 + w->bytes[i];
    printf(takes_bytes(w->what) && w->result > 0 ? " %08x\n" : "\n", sum);
    if (w->pending) close(ANCHOR + (int)(w - workers));
    w->pending = 0;
}

// Waits until whoever can go on has, and reports who is done.
static void settle(void)
{
    int waiting = 0;
    for (int i = 0; i < WORKERS; i++) waiting += workers[i].pending;
    if (waiting) until_others_wait();
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].pending && !__atomic_load_n(&workers[i].busy, __ATOMIC_ACQUIRE)) report(&workers[i]);
}

static int ready(int fd, int events)
{
    struct pollfd one = {fd, (short)events, 0};
    return SYS(poll(&one, 1, 0)) > 0;
}

static int waits(const struct worker *w)
{
    switch (w->what) {
    case PEEK: return 0;
    case READ:
    case RECV: return !(fcntl(w->fd, F_GETFL) & O_NONBLOCK) && !ready(w->fd, POLLIN);
    case WRITE:
    case SEND: return !(fcntl(w->fd, F_GETFL) & O_NONBLOCK) && !ready(w->fd, POLLOUT);
    case EPOLL_WAIT: return w->wait && !ready(w->fd, POLLIN);
    default: return w->wait && !ready(w->fd, w->what == POLL ? w->events : POLLIN) && !ready(w->second, POLLIN);
    }
}

// An operation of a worker's, unless its outcome would depend on who comes first.
static void issue(struct worker *w)
{
    int type, is_socket = 0;
    socklen_t length = sizeof type;
    if (w->busy || file_of[w->fd - FIRST] == 0 || file_of[w->second - FIRST] == 0) return;
    is_socket = getsockopt(w->fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0;
    if (!is_socket && (w->what == RECV || w->what == PEEK || w->what == SEND)) return;
    w->file = file_of[w->fd - FIRST];
    // One event may make both ends of a pair ready, one after the other.
    if ((w->what == POLL || w->what == SELECT) && w->file / 2 == file_of[w->second - FIRST] / 2) w->second = w->fd;
    int will_wait = waits(w), exclusive = w->what == POLL || w->what == SELECT || w->what == EPOLL_WAIT;
    for (int i = 0; i < WORKERS; i++) {
        const struct worker *other = &workers[i];
        if (!other->pending) continue;
        if (takes_bytes(other->what) == takes_bytes(w->what) && other->file == w->file) return;
        if (will_wait && (exclusive || other->what == POLL || other->what == SELECT || other->what == EPOLL_WAIT)) return;
    }
    if (will_wait) {
        SYS(dup2(w->fd, ANCHOR + (int)(w - workers)));
        printf("%3d w%d %s(%d) waits\n", operation, (int)(w - workers), names[w->what], w->fd);
    }
    w->pending = will_wait;
    w->busy = 1;
    SYS(sem_post(&w->go));
    if (!will_wait) {
        UNTIL(!__atomic_load_n(&w->busy, __ATOMIC_ACQUIRE));
        report(w);
    }
    settle();
}

// A number whose file a waiting poll or select names stays what it is: at its end it reports what the number means by then.
static int named(int slot)
{
    for (int i = 0; i < WORKERS; i++) {
        const struct worker *w = &workers[i];
        if (w->pending && (w->what == POLL || w->what == SELECT) && (w->fd == FIRST + slot || w->second == FIRST + slot)) return 1;
    }
    return 0;
}

static void put(int fd, int slot, int file)
{
    SYS(dup2(fd, FIRST + slot));
    file_of[slot] = file;
    // It may have been the last of what was there.
    settle();
}

static void open_something(int slot, int other)
{
    int ends[2], kind = below(7), size = 4096;
    if (named(slot) || named(other) || slot == other) return;
    int flag = below(3) == 0 ? O_NONBLOCK : 0;
    if (kind < 2) {
        SYS(pipe2(ends, flag));
        SYS(fcntl(ends[0], F_SETPIPE_SZ, size));
    } else if (kind < 5) {
        int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
        SYS(socketpair(AF_UNIX, types[kind - 2] | flag, 0, ends));
    } else {
        ends[0] = kind == 5 ? SYS(eventfd(below(2), flag | (below(2) ? EFD_SEMAPHORE : 0))) : SYS(epoll_create1(0));
        ends[1] = -1;
    }
    files += 2;
    put(ends[0], slot, files);
    SYS(close(ends[0]));
    if (ends[1] != -1) {
        put(ends[1], other, files + 1);
        SYS(close(ends[1]));
    }
    printf("%3d open %d: %d %d\n", operation, kind, FIRST + slot, ends[1] == -1 ? -1 : FIRST + other);
}

static void change(int slot, int other)
{
    int fd = FIRST + slot, second = FIRST + other, on = below(2);
    struct epoll_event event = {.events = EPOLLIN | (below(3) ? 0 : EPOLLET), .data.u32 = (uint32_t)second};
    const char *what;
    long result;
    int kind = below(7);
    errno = 0;
    if ((kind == 0 || kind == 1) && (named(slot) || named(other))) return;
    switch (kind) {
    case 0:
        what = "close";
        result = close(fd);
        file_of[slot] = 0;
        break;
    case 1:
        what = "dup2";
        result = dup2(fd, second);
        if (result != -1) file_of[other] = file_of[slot];
        break;
    case 2: what = "F_SETFL", result = fcntl(fd, F_SETFL, on ? O_NONBLOCK : 0); break;
    case 3: what = "FIONBIO", result = ioctl(fd, FIONBIO, &on); break;
    case 4: what = "F_GETFL", result = fcntl(fd, F_GETFL); break;
    case 5: what = "shutdown", result = shutdown(fd, (int)below(3)); break;
    default:
        what = "epoll_ctl";
        result = epoll_ctl(fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, second, &event);
        break;
    }
    printf("%3d %s(%d, %d) = %ld %s\n", operation, what, fd, second, result, result == -1 ? strerrorname_np(errno) : "");
    settle();
}

static void run(uint64_t seed, int count)
{
    state = seed * 2654435761u + 1;
    on_signal(SIGUSR1, interrupted, 0);
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < WORKERS; i++) {
        SYS(sem_init(&workers[i].go, 0, 0));
        workers[i].thread = spawn(work, &workers[i]);
    }
    for (operation = 0; operation < count; operation++) {
        int slot = below(SLOTS), other = below(SLOTS), which = below(10);
        if (which < 2) open_something(slot, other);
        else if (which < 5) change(slot, other);
        else {
            struct worker *w = &workers[below(WORKERS)], next = {0};
            next.what = below(KINDS);
            next.size = below(4) ? 1 + below(16) : 1 + below(4096);
            next.wait = below(2);
            next.events = below(2) ? POLLIN : POLLOUT | POLLIN;
            if (w->busy) continue;
            w->what = next.what, w->size = next.size, w->wait = next.wait, w->events = next.events;
            w->fd = FIRST + slot, w->second = FIRST + other;
            // An eventfd takes numbers of eight bytes, and small ones.
            memset(w->bytes, 0, sizeof w->bytes);
            for (int i = 0; i < w->size; i++) w->bytes[i] = i == 0 ? 1 + operation % 100 : 0;
            issue(w);
        }
    }
    for (int slot = 0; slot < SLOTS; slot++) {
        int fd = FIRST + slot, bytes = -1;
        struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
        poll(&one, 1, 0);
        ioctl(fd, FIONREAD, &bytes);
        printf("left %d: %d %x %d\n", fd, fcntl(fd, F_GETFL), one.revents, bytes);
    }
    for (int i = 0; i < WORKERS; i++) {
        while (workers[i].pending && __atomic_load_n(&workers[i].busy, __ATOMIC_ACQUIRE)) {
            OK(pthread_kill(workers[i].thread, SIGUSR1));
            sleep_ms(1);
        }
        if (workers[i].pending) report(&workers[i]);
        // What it held may have been what others waited for.
        settle();
    }
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc > 1) run(strtoull(argv[1], NULL, 0), argc > 2 ? atoi(argv[2]) : OPERATIONS);
    for (int seed = 1; seed <= SEEDS; seed++) {
        printf("seed %d\n", seed);
        fflush(stdout);
        pid_t child = SYS(fork());
        if (child == 0) run(seed, OPERATIONS);
        ASSERT_EQ(finish(child), 0);
    }
    return 0;
}
