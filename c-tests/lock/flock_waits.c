// flock: shared locks go together, an exclusive one waits for them, and unlocking or closing lets it in.
#include "coop-test.h"
#include <sys/file.h>

static _Atomic int got;

static void *exclusive(void *unused)
{
    (void)unused;
    int fd = SYS(open("file", O_RDWR));
    FAILS(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    SYS(flock(fd, LOCK_EX));
    got++;
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    int one = SYS(open("file", O_RDWR | O_CREAT, 0600)), two = SYS(open("file", O_RDWR));
    SYS(flock(one, LOCK_SH));
    SYS(flock(two, LOCK_SH));
    pthread_t thread = spawn(exclusive, NULL);
    let_others_block();
    SYS(flock(one, LOCK_UN));
    let_others_block();
    ASSERT_EQ(got, 0);
    SYS(close(two));
    join(thread);
    ASSERT_EQ(got, 1);

    // A duplicate shares the lock: closing one of the two keeps it.
    two = SYS(dup(one));
    SYS(flock(one, LOCK_EX));
    SYS(close(one));
    thread = spawn(exclusive, NULL);
    let_others_block();
    ASSERT_EQ(got, 1);
    SYS(flock(two, LOCK_UN));
    join(thread);
    FAILS(flock(two, 77), EINVAL);
    SYS(close(two));
    FAILS(flock(two, LOCK_EX), EBADF);
    return 0;
}
