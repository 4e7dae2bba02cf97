// 600 threads wait for a record lock whose holder still needs calls that wait for the disk: it makes them, and all get the lock.
#include "coop-test.h"

#define WAITERS 600

static _Atomic int inside, done;

static void lock_file(int fd, int command, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
    SYS(fcntl(fd, command, &lock));
}

static void *waiter(void *unused)
{
    (void)unused;
    int fd = SYS(open("locked", O_RDWR));
    lock_file(fd, F_OFD_SETLKW, F_WRLCK);
    ASSERT_EQ(inside++, 0);
    inside--;
    done++;
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    static pthread_t threads[WAITERS];
    int fd = SYS(open("locked", O_RDWR | O_CREAT, 0600));
    lock_file(fd, F_OFD_SETLKW, F_WRLCK);
    for (int i = 0; i < WAITERS; i++) threads[i] = spawn_small(waiter, NULL);
    let_others_block();
    ASSERT_EQ(done, 0);
    int other = SYS(open("other", O_RDWR | O_CREAT, 0600));
    write_all(other, "bytes", 5);
    SYS(fdatasync(other));
    SYS(ftruncate(other, 2));
    SYS(rename("other", "another"));
    SYS(unlink("another"));
    ASSERT_EQ(done, 0);
    lock_file(fd, F_OFD_SETLK, F_UNLCK);
    for (int i = 0; i < WAITERS; i++) join(threads[i]);
    ASSERT_EQ(done, WAITERS);
    return 0;
}
