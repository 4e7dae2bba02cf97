// O_NONBLOCK is what was set last, by whatever way, on descriptors that nobody else has and on those that are shared: each read and write
// that would wait tells, over and over, in between waits of other threads.
#include "coop-test.h"
#include <sys/ioctl.h>
#include <sys/uio.h>

static void *sends_later(void *fd)
{
    sleep_ms(5);
    ASSERT_EQ(SYS(write(*(int *)fd, "later", 5)), 5);
    return NULL;
}

enum { FCNTL, IOCTL, WAYS };

static void set(int fd, int way, int on)
{
    int flags = SYS(fcntl(fd, F_GETFL));
    if (way == FCNTL)
        SYS(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK));
    else
        SYS(ioctl(fd, FIONBIO, &on));
    ASSERT_EQ(!!(SYS(fcntl(fd, F_GETFL)) & O_NONBLOCK), on);
}

static void never_waits(int fd, int is_socket)
{
    char text[8];
    struct iovec two[] = {{text, 4}, {text + 4, 4}};
    for (int i = 0; i < 3; i++) {
        FAILS(read(fd, text, sizeof text), EAGAIN);
        FAILS(readv(fd, two, 2), EAGAIN);
        if (is_socket) {
            FAILS(recv(fd, text, sizeof text, 0), EAGAIN);
            FAILS(recv(fd, text, sizeof text, MSG_WAITALL), EAGAIN);
            FAILS(recv(fd, text, sizeof text, MSG_PEEK), EAGAIN);
        }
    }
}

static void waits(int fd, int is_socket, int other)
{
    char text[8];
    struct iovec two[] = {{text, 4}, {text + 4, 4}};
    if (is_socket) FAILS(recv(fd, text, sizeof text, MSG_DONTWAIT), EAGAIN);
    for (int way = 0; way < 2 + is_socket; way++) {
        pthread_t thread = spawn(sends_later, &other);
        ssize_t got = way == 0   ? read(fd, text, sizeof text)
                      : way == 1 ? readv(fd, two, 2)
                                 : recv(fd, text, sizeof text, 0);
        ASSERT_EQ(SYS(got), 5);
        join(thread);
    }
}

static void *takes_all(void *fd)
{
    char text[4096];
    sleep_ms(5);
    while (read(*(int *)fd, text, sizeof text) > 0)
        ;
    return NULL;
}

// A writer that never waits writes what there is room for, and then nothing; one that waits writes all.
static void fills(int fd, int other, int nonblocking)
{
    static char much[1 << 20];
    if (nonblocking) {
        ssize_t written;
        size_t all = 0;
        while ((written = write(fd, much, sizeof much)) > 0) {
            ASSERT(written < (ssize_t)sizeof much);
            all += written;
        }
        ASSERT_EQ(errno, EAGAIN);
        ASSERT(all > 0);
        struct iovec two[] = {{much, 4096}, {much, 4096}};
        FAILS(writev(fd, two, 2), EAGAIN);
        while (all > 0) all -= SYS(read(other, much, all < sizeof much ? all : sizeof much));
        return;
    }
    pthread_t thread = spawn(takes_all, &other);
    ASSERT_EQ(SYS(write(fd, much, sizeof much)), sizeof much);
    struct iovec two[] = {{much, 500000}, {much, 500000}};
    ASSERT_EQ(SYS(writev(fd, two, 2)), 1000000);
    // The reader ends when it finds the pipe's or socket's end.
    SYS(close(fd));
    join(thread);
}

static void make(int pair[2], int is_socket, int flags)
{
    if (is_socket)
        SYS(socketpair(AF_UNIX, SOCK_STREAM | (flags ? SOCK_NONBLOCK : 0), 0, pair));
    else
        SYS(pipe2(pair, flags));
}

int main(void)
{
    pthread_t other = spawn(sends_later, (int[]){SYS(open("/dev/null", O_WRONLY))});
    join(other);
    for (int is_socket = 0; is_socket < 2; is_socket++)
        for (int way = 0; way < WAYS; way++) {
            int pair[2];
            make(pair, is_socket, O_NONBLOCK);
            never_waits(pair[0], is_socket);
            fills(pair[1], pair[0], 1);
            for (int i = 0; i < 3; i++) {
                set(pair[0], way, 0);
                waits(pair[0], is_socket, pair[1]);
                set(pair[0], way, 1);
                never_waits(pair[0], is_socket);
            }
            // By another number of the same description, in both directions.
            int copy = SYS(dup(pair[0]));
            set(copy, way, 0);
            waits(pair[0], is_socket, pair[1]);
            set(copy, way, 1);
            never_waits(pair[0], is_socket);
            SYS(close(copy));
            set(pair[0], way, 0);
            // The number again, for something that waits.
            SYS(close(pair[0]));
            SYS(close(pair[1]));
            make(pair, is_socket, 0);
            set(pair[0], way, 1);
            never_waits(pair[0], is_socket);
            SYS(close(pair[0]));
            SYS(close(pair[1]));
            make(pair, is_socket, 0);
            waits(pair[0], is_socket, pair[1]);
            fills(pair[1], pair[0], 0);
            SYS(close(pair[0]));
            // By a child that shares the description.
            make(pair, is_socket, O_NONBLOCK);
            pid_t child = SYS(fork());
            if (child == 0) {
                set(pair[0], way, 0);
                _exit(0);
            }
            ASSERT_EQ(SYS(waitpid(child, NULL, 0)), child);
            waits(pair[0], is_socket, pair[1]);
            SYS(close(pair[0]));
            SYS(close(pair[1]));
        }
    return 0;
}
