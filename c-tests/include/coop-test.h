// The one header of the behaviour tests: typed asserts, and the few helpers nearly every test needs.
//
// A test says nothing and exits 0 when the behaviour is there. A failed assert prints its place, the
// values and errno on stderr and ends the process with 1, from whichever thread. SKIP ends it with 77.
#ifndef COOP_TEST_H
#define COOP_TEST_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// timer_create(2) has it, libc's headers not.
#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

// ---- verdicts

__attribute__((noreturn, format(printf, 3, 4)))
static inline void test_fail(const char *file, int line, const char *format, ...)
{
    int error = errno;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    dprintf(2, "%s:%d: %s [errno %d: %s]\n", file, line, text, error, strerror(error));
    _exit(1);
}

#define FAIL(...) test_fail(__FILE__, __LINE__, __VA_ARGS__)

// Ends the test because this machine cannot show the behaviour.
#define SKIP(reason)                 \
    do {                             \
        dprintf(2, "%s\n", reason);  \
        _exit(77);                   \
    } while (0)

#define ASSERT(condition)                           \
    do {                                            \
        if (!(condition)) FAIL("not: %s", #condition); \
    } while (0)

#define ASSERT_COMPARES(a, op, b)                                                         \
    do {                                                                                  \
        long long a_ = (long long)(a), b_ = (long long)(b);                               \
        if (!(a_ op b_)) FAIL("%s %s %s: %lld against %lld", #a, #op, #b, a_, b_);        \
    } while (0)
#define ASSERT_EQ(a, b) ASSERT_COMPARES(a, ==, b)
#define ASSERT_NE(a, b) ASSERT_COMPARES(a, !=, b)
#define ASSERT_LT(a, b) ASSERT_COMPARES(a, <, b)
#define ASSERT_LE(a, b) ASSERT_COMPARES(a, <=, b)
#define ASSERT_GT(a, b) ASSERT_COMPARES(a, >, b)
#define ASSERT_GE(a, b) ASSERT_COMPARES(a, >=, b)

#define ASSERT_PTR(a, b)                                                         \
    do {                                                                         \
        const void *a_ = (const void *)(a), *b_ = (const void *)(b);             \
        if (a_ != b_) FAIL("%s == %s: %p against %p", #a, #b, a_, b_);           \
    } while (0)

#define ASSERT_STR(a, b)                                                              \
    do {                                                                              \
        const char *a_ = (a), *b_ = (b);                                              \
        if (strcmp(a_, b_) != 0) FAIL("%s == %s: \"%s\" against \"%s\"", #a, #b, a_, b_); \
    } while (0)

#define ASSERT_MEM(a, b, size)                                                        \
    do {                                                                              \
        if (memcmp(a, b, size) != 0) FAIL("%s and %s differ", #a, #b);                \
    } while (0)

// The value of a call that must not give -1.
#define SYS(call)                                       \
    ({                                                  \
        long long value_ = (long long)(call);           \
        if (value_ == -1) FAIL("%s failed", #call);     \
        value_;                                         \
    })

// A call that must give -1 with this errno.
#define FAILS(call, wanted)                                                       \
    do {                                                                          \
        errno = 0;                                                                \
        long long value_ = (long long)(call);                                     \
        if (value_ != -1 || errno != (wanted))                                    \
            FAIL("%s gave %lld, not -1 with %s", #call, value_, #wanted);         \
    } while (0)

// A call of the pthread kind, which returns its error: none, or this one.
#define OK(call) GIVES(call, 0)
#define GIVES(call, wanted)                                                       \
    do {                                                                          \
        int error_ = (call);                                                      \
        if (error_ != (wanted)) {                                                 \
            errno = error_;                                                       \
            FAIL("%s gave %d, not %s", #call, error_, #wanted);                   \
        }                                                                         \
    } while (0)

// ---- time

#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

static inline int64_t now_ns(clockid_t clock)
{
    struct timespec now;
    SYS(clock_gettime(clock, &now));
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

// Milliseconds passed on CLOCK_MONOTONIC since a now_ns of it.
static inline int64_t ms_since(int64_t start_ns)
{
    return (now_ns(CLOCK_MONOTONIC) - start_ns) / NS_PER_MS;
}

static inline struct timespec to_timespec(int64_t ns)
{
    struct timespec time;
    time.tv_sec = ns / NS_PER_S;
    time.tv_nsec = ns % NS_PER_S;
    return time;
}

static inline struct timespec in_ms(clockid_t clock, long ms)
{
    return to_timespec(now_ns(clock) + ms * NS_PER_MS);
}

static inline void sleep_ms(long ms)
{
    struct timespec left = to_timespec(ms * NS_PER_MS);
    while (nanosleep(&left, &left) == -1) ASSERT_EQ(errno, EINTR);
}

// Waits for what another thread will make true. The runner's time limit is the bound.
#define UNTIL(condition) \
    while (!(condition)) sleep_ms(1)

// Gives the others time to reach the call they are to wait in, so that the interesting case is the
// one met. The verdict must be the same when they were late, unless the test says why it cannot be.
static inline void let_others_block(void)
{
    sleep_ms(30);
}

// Whether every OS thread of the process but the caller's sleeps.
static inline int others_sleep(void)
{
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL) FAIL("no /proc/self/task");
    int running = 0;
    for (struct dirent *task; (task = readdir(tasks)) && running < 2;) {
        char path[300], text[256], *end;
        snprintf(path, sizeof path, "/proc/self/task/%s/stat", task->d_name);
        int fd = task->d_name[0] == '.' ? -1 : open(path, O_RDONLY);
        if (fd == -1) continue;
        ssize_t size = read(fd, text, sizeof text - 1);
        close(fd);
        text[size > 0 ? size : 0] = 0;
        if ((end = strrchr(text, ')')) && end[2] == 'R') running++;
    }
    closedir(tasks);
    return running < 2;
}

// Waits until the other threads, all of which are about to wait, do: for tests in which it matters that they wait already. (Preloaded,
// too: hubs sleep when all their threads wait.) Opens descriptors on the way.
static inline void until_others_wait(void)
{
    enum { LOOKS = 3, APART = 3, MOST_LATE = 100 };
    for (int seen = 0, late = 0; seen < LOOKS;) {
        long before = now_ns(CLOCK_MONOTONIC);
        sleep_ms(APART);
        // Who sleeps so much longer has no CPU, and they may not have had one either: for a look that counts they have had the time. (But not for ever.)
        if (now_ns(CLOCK_MONOTONIC) - before > 2 * APART * NS_PER_MS && late++ < MOST_LATE) continue;
        seen = others_sleep() ? seen + 1 : 0;
    }
}

// ---- threads

static inline pthread_t spawn(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    OK(pthread_create(&thread, NULL, body, argument));
    return thread;
}

// A thread with a 64 KiB stack, for tests with many.
static inline pthread_t spawn_small(void *(*body)(void *), void *argument)
{
    pthread_t thread;
    pthread_attr_t attributes;
    OK(pthread_attr_init(&attributes));
    OK(pthread_attr_setstacksize(&attributes, 64 << 10));
    OK(pthread_create(&thread, &attributes, body, argument));
    OK(pthread_attr_destroy(&attributes));
    return thread;
}

static inline void *join(pthread_t thread)
{
    void *result = NULL;
    OK(pthread_join(thread, &result));
    return result;
}

// A thread's body that only a signal, a cancellation or the end of the process ends.
__attribute__((unused)) static void *pause_for_ever(void *unused)
{
    (void)unused;
    for (;;) pause();
    return NULL;
}

static inline pid_t my_tid(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static inline long futex(void *word, int operation, uint32_t value, const void *timeout,
                         void *word2, uint32_t value3)
{
    return syscall(SYS_futex, word, operation, value, timeout, word2, value3);
}

// ---- bytes

static inline void write_all(int fd, const void *bytes, size_t size)
{
    for (size_t done = 0; done < size;)
        done += SYS(write(fd, (const char *)bytes + done, size - done));
}

// Reads until size bytes are there or the end of the file is; the bytes read.
static inline size_t read_all(int fd, void *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t got = SYS(read(fd, (char *)bytes + done, size - done));
        if (got == 0) break;
        done += got;
    }
    return done;
}

// Byte i of a test pattern, with a period that no buffer size has.
static inline unsigned char pattern(size_t i)
{
    return (unsigned char)(i % 251);
}

// ---- processes

// Reaps a child; its exit status as a shell shows it.
static inline int finish(pid_t child)
{
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static inline void on_signal(int number, void (*handler)(int), int flags)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    SYS(sigaction(number, &action, NULL));
}

static inline sigset_t signal_set(int number)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

// ---- TCP on the loopback

static inline int tcp_listener(struct sockaddr_in *address, int backlog)
{
    socklen_t size = sizeof *address;
    memset(address, 0, size);
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = SYS(socket(AF_INET, SOCK_STREAM, 0));
    SYS(bind(fd, (struct sockaddr *)address, size));
    SYS(listen(fd, backlog));
    SYS(getsockname(fd, (struct sockaddr *)address, &size));
    return fd;
}

static inline int tcp_connect(const struct sockaddr_in *address)
{
    int fd = SYS(socket(AF_INET, SOCK_STREAM, 0));
    SYS(connect(fd, (const struct sockaddr *)address, sizeof *address));
    return fd;
}

static inline void tcp_pair(int fd[2])
{
    struct sockaddr_in address;
    int listener = tcp_listener(&address, 1);
    fd[0] = tcp_connect(&address);
    fd[1] = SYS(accept(listener, NULL, NULL));
    SYS(close(listener));
}

#endif
