// A pipe that was made blocking does not block once O_NONBLOCK was set on it: by its number, by another number, or by a child.
#include "coop-test.h"
#include <fcntl.h>
#include <sys/ioctl.h>

static void set(int fd)
{
    SYS(fcntl(fd, F_SETFL, SYS(fcntl(fd, F_GETFL)) | O_NONBLOCK));
}

static void by_number(int fd)
{
    set(fd);
}

static void by_request(int fd)
{
    int yes = 1;
    SYS(ioctl(fd, FIONBIO, &yes));
}

static void by_duplicate(int fd)
{
    int other = SYS(dup(fd));
    set(other);
    SYS(close(other));
}

static void by_child(int fd)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        set(fd);
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
}

static void *write_soon(void *fd)
{
    let_others_block();
    SYS(write(*(int *)fd, "x", 1));
    return NULL;
}

static void *body(void *unused)
{
    void (*const ways[])(int) = { by_number, by_request, by_duplicate, by_child };
    for (int i = 0; i < 4; i++) {
        int ends[2];
        char byte;
        SYS(pipe(ends));
        // It blocks at first.
        pthread_t writer = spawn(write_soon, &ends[1]);
        ASSERT_EQ(read(ends[0], &byte, 1), 1);
        join(writer);
        ways[i](ends[0]);
        ASSERT_EQ(read(ends[0], &byte, 1), -1);
        ASSERT_EQ(errno, EAGAIN);
        SYS(close(ends[0]));
        SYS(close(ends[1]));
    }
    return unused;
}

int main(void)
{
    join(spawn(body, NULL));
    return 0;
}
