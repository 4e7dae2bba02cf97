// A thread that unshares its descriptors has a table of its own: what it closes, opens and duplicates the others do not see, nor it what they do; its
// calls wait, time out and are interrupted as any thread's, it wakes others and is woken, and its threads and children have its table.
#include "coop-test.h"
#include <sched.h>
#include <sys/epoll.h>

static int common[2], pair[2];
static pthread_barrier_t turn;
static volatile sig_atomic_t handled;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int said;

static void meet(void)
{
    int result = pthread_barrier_wait(&turn);
    ASSERT(result == 0 || result == PTHREAD_BARRIER_SERIAL_THREAD);
}

static void say(int value)
{
    OK(pthread_mutex_lock(&mutex));
    said = value;
    OK(pthread_cond_broadcast(&cond));
    OK(pthread_mutex_unlock(&mutex));
}

static void hear(int value)
{
    OK(pthread_mutex_lock(&mutex));
    while (said < value) OK(pthread_cond_wait(&cond, &mutex));
    OK(pthread_mutex_unlock(&mutex));
}

static void handler(int signal)
{
    (void)signal;
    handled++;
}

enum { NUMBERS = 2000 };
static char inherited[NUMBERS];
static int own_file;

static void *kin(void *unused)
{
    // Of the maker's table.
    FAILS(fcntl(common[0], F_GETFD), EBADF);
    SYS(fcntl(own_file, F_GETFD));
    char byte;
    ASSERT_EQ(read_all(pair[1], &byte, 1), 1);
    SYS(close(own_file));
    return unused;
}

static void waits(void)
{
    struct pollfd one = {.fd = pair[1], .events = POLLIN};
    struct timeval tenth = {.tv_usec = 10000};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7};
    fd_set set;
    long before = now_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(poll(&one, 1, 10), 0);
    FD_ZERO(&set);
    FD_SET(pair[1], &set);
    ASSERT_EQ(select(pair[1] + 1, &set, NULL, NULL, &tenth), 0);
    int epoll = SYS(epoll_create1(0));
    SYS(epoll_ctl(epoll, EPOLL_CTL_ADD, pair[1], &event));
    ASSERT_EQ(epoll_wait(epoll, &event, 1, 10), 0);
    ASSERT(now_ns(CLOCK_MONOTONIC) - before >= 30 * NS_PER_MS);
    // Until there is something.
    say(1);
    ASSERT_EQ(epoll_wait(epoll, &event, 1, -1), 1);
    ASSERT_EQ(event.data.u32, 7);
    SYS(close(epoll));
    ASSERT_EQ(poll(&one, 1, -1), 1);
    char byte;
    ASSERT_EQ(read_all(pair[1], &byte, 1), 1);
    say(2);
    // A read that waits.
    ASSERT_EQ(read_all(pair[1], &byte, 1), 1);
    ASSERT_EQ(byte, 'b');
}

static void is_interrupted(void)
{
    char byte;
    sigset_t none;
    sigemptyset(&none);
    say(3);
    FAILS(read(pair[1], &byte, 1), EINTR);
    ASSERT_EQ(handled, 1);
    // One that only the call lets through.
    sigset_t one, before;
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    OK(pthread_sigmask(SIG_BLOCK, &one, &before));
    say(4);
    struct pollfd asked = {.fd = pair[1], .events = POLLIN};
    FAILS(ppoll(&asked, 1, NULL, &none), EINTR);
    ASSERT_EQ(handled, 2);
    OK(pthread_sigmask(SIG_SETMASK, &before, NULL));
}

static void *apart(void *how)
{
    long by_range = (long)how;
    int dup_of_common = SYS(dup(common[0]));
    if (by_range)
        SYS(syscall(SYS_close_range, dup_of_common, dup_of_common, CLOSE_RANGE_UNSHARE));
    else {
        SYS(unshare(CLONE_FILES));
        SYS(close(dup_of_common));
    }
    FAILS(fcntl(dup_of_common, F_GETFD), EBADF);
    own_file = dup_of_common;
    meet();
    // The other closes it in the others' table and makes something else of the number.
    SYS(close(common[0]));
    SYS(close(common[1]));
    meet();
    FAILS(fcntl(common[0], F_GETFD), EBADF);
    ASSERT_EQ(SYS(open("/dev/null", O_RDONLY | O_CLOEXEC)), common[0] < common[1] ? common[0] : common[1]);
    SYS(close(common[0] < common[1] ? common[0] : common[1]));
    // Nothing above is in the way.
    for (int fd = own_file; fd < NUMBERS; fd++)
        if (!inherited[fd]) FAILS(fcntl(fd, F_GETFD), EBADF);
    waits();
    is_interrupted();
    // A thread and a child of it.
    ASSERT_EQ(SYS(dup2(pair[1], own_file)), own_file);
    pthread_t thread = spawn(kin, NULL);
    say(5);
    join(thread);
    FAILS(fcntl(own_file, F_GETFD), EBADF);
    pid_t pid = SYS(fork());
    if (pid == 0) {
        FAILS(fcntl(common[0], F_GETFD), EBADF);
        SYS(fcntl(pair[1], F_GETFD));
        write_all(pair[1], "c", 1);
        _exit(7);
    }
    ASSERT_EQ(finish(pid), 7);
    int file = SYS(open("/dev/null", O_RDONLY | O_CLOEXEC));
    char name[32];
    snprintf(name, sizeof name, "%d", file);
    meet();
    SYS(close(file));
    // All of them: the others' are not touched.
    SYS(syscall(SYS_close_range, 3, ~0U, 0));
    FAILS(write(pair[1], "x", 1), EBADF);
    say(6);
    sleep_ms(10);
    hear(7);
    return NULL;
}

static void one(long by_range)
{
    char byte;
    said = handled = 0;
    SYS(pipe(common));
    SYS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    OK(pthread_barrier_init(&turn, NULL, 2));
    pthread_t thread = spawn(apart, (void *)by_range);
    meet();
    meet();
    // What was closed there is open here.
    write_all(common[1], "a", 1);
    ASSERT_EQ(read_all(common[0], &byte, 1), 1);
    hear(1);
    let_others_block();
    write_all(pair[0], "a", 1);
    hear(2);
    let_others_block();
    write_all(pair[0], "b", 1);
    for (int n = 3; n <= 4; n++) {
        hear(n);
        let_others_block();
        OK(pthread_kill(thread, SIGUSR1));
    }
    hear(5);
    let_others_block();
    write_all(pair[0], "k", 1);
    ASSERT_EQ(read_all(pair[0], &byte, 1), 1);
    ASSERT_EQ(byte, 'c');
    // The thread has closed it twice, and here it is open yet.
    SYS(close(own_file));
    meet();
    hear(6);
    SYS(fcntl(common[0], F_GETFD));
    SYS(fcntl(pair[1], F_GETFD));
    say(7);
    join(thread);
    SYS(close(pair[1]));
    // The last copy has gone with the thread.
    ASSERT_EQ(read(pair[0], &byte, 1), 0);
    SYS(close(pair[0]));
    SYS(close(common[0]));
    SYS(close(common[1]));
    OK(pthread_barrier_destroy(&turn));
}

int main(void)
{
    for (int fd = 0; fd < NUMBERS; fd++) inherited[fd] = fcntl(fd, F_GETFD) != -1;
    struct sigaction action = {.sa_handler = handler};
    SYS(sigaction(SIGUSR1, &action, NULL));
    one(0);
    one(1);
    one(0);
    return 0;
}
