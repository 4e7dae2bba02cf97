// A child process that shares the table of descriptors closes all of them, in every way, while threads of its parent wait: what is the
// library's is not in its reach, and what it is told is what it would be told if that were not there.
#include "coop-test.h"
#include <sys/eventfd.h>
#include <sys/syscall.h>

enum { KEPT = 8, LOOPS = 2000 };

static int feeds[KEPT][2];

static int is_kept(int fd)
{
    for (int i = 0; i < KEPT; i++)
        if (fd == feeds[i][0] || fd == feeds[i][1]) return 1;
    return fd <= 2;
}

static int by_loop(void *unused)
{
    (void)unused;
    for (int fd = 3; fd < LOOPS; fd++)
        if (!is_kept(fd) && close(fd) == -1 && errno != EBADF) return 1;
    return 0;
}

static int by_syscall(void *unused)
{
    (void)unused;
    // (Under the trap door syscall() itself is trapped, and a child has no trap: README, "Descriptors".)
    const char *door = getenv("COOP_DOOR");
    if (door && strcmp(door, "trap") == 0) return by_loop(NULL);
    for (int fd = 3; fd < LOOPS; fd++)
        if (!is_kept(fd) && syscall(SYS_close, fd) == -1 && errno != EBADF) return 1;
    return 0;
}

static int by_range(void *unused)
{
    (void)unused;
    int from = 3;
    for (int fd = 3; fd < LOOPS; fd++)
        if (is_kept(fd)) {
            if (fd > from && close_range(from, fd - 1, 0) == -1) return 1;
            from = fd + 1;
        }
    return close_range(from, ~0U, 0) == -1 ? 2 : 0;
}

static int by_closefrom(void *unused)
{
    (void)unused;
    int highest = 2;
    for (int i = 0; i < KEPT; i++)
        for (int end = 0; end < 2; end++)
            if (feeds[i][end] > highest) highest = feeds[i][end];
    closefrom(highest + 1);
    return 0;
}

// Whatever number it is told that is free: the file there is its own then, and goes again.
static int by_replacing(void *unused)
{
    (void)unused;
    for (int fd = 3; fd < LOOPS; fd++) {
        if (is_kept(fd) || fcntl(fd, F_GETFD) != -1) continue;
        if (dup2(1, fd) == fd && close(fd) == -1) return 1;
        if (dup3(1, fd, O_CLOEXEC) == fd && close(fd) == -1) return 2;
    }
    return 0;
}

static int by_threads(void *);
static int by_grandchild(void *);

static int (*const ways[])(void *) = {
    by_loop, by_syscall, by_range, by_closefrom, by_replacing, by_threads, by_grandchild,
};

static int run(int (*way)(void *), int flags)
{
    char *stack = malloc(256 << 10);
    int status;
    pid_t child = SYS(clone(way, stack + (256 << 10), flags | SIGCHLD, NULL));
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    free(stack);
    return status;
}

static void *closes_all(void *unused)
{
    ASSERT_EQ(by_loop(NULL), 0);
    ASSERT_EQ(by_range(NULL), 0);
    return unused;
}

static int by_threads(void *unused)
{
    (void)unused;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(closes_all, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}

static int by_grandchild(void *unused)
{
    (void)unused;
    return run(by_loop, CLONE_FILES) || run(by_range, CLONE_FILES);
}

static void *echoes(void *feed)
{
    int *pair = feed;
    char byte;
    for (;;) {
        ASSERT_EQ(SYS(recv(pair[1], &byte, 1, 0)), 1);
        if (byte == 'x') return NULL;
        ASSERT_EQ(SYS(send(pair[1], &byte, 1, 0)), 1);
    }
}

static void they_go_on(void)
{
    char byte = 'a';
    struct pollfd polled = {.fd = feeds[0][0], .events = POLLIN};
    for (int i = 0; i < KEPT; i++) ASSERT_EQ(SYS(send(feeds[i][0], &byte, 1, 0)), 1);
    ASSERT_EQ(SYS(poll(&polled, 1, -1)), 1);
    for (int i = 0; i < KEPT; i++) ASSERT_EQ(SYS(recv(feeds[i][0], &byte, 1, 0)), 1);
    SYS(usleep(1000));
}

static void *sleeps(void *unused)
{
    for (int i = 0; i < 20; i++) SYS(usleep(500));
    return unused;
}

static void *ends_child(void *child)
{
    int status;
    pid_t pid = *(pid_t *)child;
    ASSERT_EQ(SYS(waitpid(pid, &status, 0)), pid);
    ASSERT_EQ(status, 0);
    return NULL;
}

int main(void)
{
    pthread_t echo[KEPT];
    for (int i = 0; i < KEPT; i++) {
        SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, feeds[i]));
        echo[i] = spawn(echoes, feeds[i]);
    }
    let_others_block();
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int own = SYS(eventfd(0, 0));
        // While one child closes all, threads begin and wait in new ways.
        pthread_t sleeper = spawn(sleeps, NULL);
        ASSERT_EQ(run(ways[i], CLONE_FILES), 0);
        join(sleeper);
        if (ways[i] == by_replacing || ways[i] == by_closefrom)
            close(own);
        else
            FAILS(fcntl(own, F_GETFD), EBADF);
        they_go_on();
    }
    // A table of the child's own: it closes what is in it, and opens in it what it likes.
    ASSERT_EQ(run(by_loop, 0), 0);
    ASSERT_EQ(run(by_threads, 0), 0);
    they_go_on();
    // Waits for many children, which need descriptors of the library's, beside one that closes all the time.
    pid_t closes = SYS(syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL));
    if (closes == 0)
        for (;;) by_loop(NULL);
    enum { CHILDREN = 40 };
    pthread_t waiters[CHILDREN];
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = SYS(fork());
        if (children[i] == 0) {
            char byte;
            SYS(recv(feeds[0][0], &byte, 1, 0));
            _exit(0);
        }
        waiters[i] = spawn(ends_child, &children[i]);
    }
    let_others_block();
    for (int i = 0; i < CHILDREN; i++) ASSERT_EQ(SYS(send(feeds[0][1], "y", 1, 0)), 1);
    for (int i = 0; i < CHILDREN; i++) join(waiters[i]);
    int status;
    SYS(kill(closes, SIGKILL));
    ASSERT_EQ(SYS(waitpid(closes, &status, 0)), closes);
    for (int i = 0; i < KEPT; i++) {
        ASSERT_EQ(SYS(send(feeds[i][0], "x", 1, 0)), 1);
        join(echo[i]);
    }
    return 0;
}
