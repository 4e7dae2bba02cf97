// Closing a descriptor does not end another thread's wait for a lock on it: the wait has the file, gets the lock, and it is gone with it.
#include "coop-test.h"
#include <sys/file.h>

static int fd;

static void *waiter(void *unused)
{
    (void)unused;
    SYS(flock(fd, LOCK_EX));
    return NULL;
}

int main(void)
{
    int holder = SYS(open("file", O_RDWR | O_CREAT, 0600));
    fd = SYS(open("file", O_RDWR));
    SYS(flock(holder, LOCK_EX));
    pthread_t thread = spawn(waiter, NULL);
    sleep_ms(100);
    SYS(close(fd));
    // The number's next file is not what is waited for.
    int next = SYS(open("next", O_RDWR | O_CREAT, 0600));
    ASSERT_EQ(next, fd);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    SYS(flock(next, LOCK_EX | LOCK_NB));
    SYS(flock(holder, LOCK_UN));
    join(thread);
    SYS(flock(holder, LOCK_EX | LOCK_NB));
    return 0;
}
