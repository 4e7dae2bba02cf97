// OFD locks are between open files: threads wait for each other, ranges that do not touch go together, F_OFD_GETLK tells.
#include "coop-test.h"

static _Atomic int got;

static int lock_range(int fd, int command, short type, off_t start, off_t len)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, command, &lock);
}

static void *waiter(void *start)
{
    int fd = SYS(open("file", O_RDWR));
    SYS(lock_range(fd, F_OFD_SETLKW, F_WRLCK, (off_t)(intptr_t)start, 10));
    got++;
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    int fd = SYS(open("file", O_RDWR | O_CREAT, 0600));
    SYS(lock_range(fd, F_OFD_SETLK, F_WRLCK, 0, 10));
    pthread_t beside = spawn(waiter, (void *)20);
    join(beside);
    ASSERT_EQ(got, 1);
    pthread_t waiting = spawn(waiter, (void *)5);
    let_others_block();
    ASSERT_EQ(got, 1);
    int other = SYS(open("file", O_RDWR));
    FAILS(lock_range(other, F_OFD_SETLK, F_RDLCK, 0, 1), EAGAIN);
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1};
    SYS(fcntl(other, F_OFD_GETLK, &lock));
    ASSERT_EQ(lock.l_type, F_WRLCK);
    ASSERT_EQ(lock.l_len, 10);
    ASSERT_EQ(lock.l_pid, -1);
    // Half of the range is not enough for who waits.
    SYS(lock_range(fd, F_OFD_SETLK, F_UNLCK, 0, 7));
    let_others_block();
    ASSERT_EQ(got, 1);
    SYS(lock_range(fd, F_OFD_SETLK, F_UNLCK, 7, 3));
    join(waiting);
    FAILS(lock_range(fd, F_OFD_SETLKW, 77, 0, 1), EINVAL);
    FAILS(lock_range(-1, F_OFD_SETLKW, F_WRLCK, 0, 1), EBADF);
    FAILS(fcntl(fd, F_OFD_SETLKW, (void *)16), EFAULT);
    int reader = SYS(open("file", O_RDONLY));
    FAILS(lock_range(reader, F_OFD_SETLKW, F_WRLCK, 0, 1), EBADF);
    return 0;
}
