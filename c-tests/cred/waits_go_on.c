// A call that waits goes on when another thread changes the process's credentials: a lock is had, and no EINTR seen.
#include "coop-test.h"
#include <sys/file.h>

static char name[] = "/tmp/coop-cred-XXXXXX";
static _Atomic int waiting, had;

static void *locks(void *unused)
{
    int fd = SYS(open(name, O_RDWR));
    waiting++;
    SYS(flock(fd, LOCK_SH));
    had++;
    SYS(close(fd));
    return unused;
}

static void *locks_record(void *unused)
{
    int fd = SYS(open(name, O_RDWR));
    struct flock all = {.l_type = F_WRLCK};
    waiting++;
    SYS(fcntl(fd, F_OFD_SETLKW, &all));
    had++;
    SYS(close(fd));
    return unused;
}

int main(void)
{
    int fd = SYS(mkstemp(name));
    struct flock all = {.l_type = F_WRLCK};
    SYS(flock(fd, LOCK_EX));
    SYS(fcntl(fd, F_OFD_SETLK, &all));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(i % 2 ? locks_record : locks, NULL);
    UNTIL(waiting == 4);
    let_others_block();
    for (int i = 0; i < 20; i++) {
        SYS(setgid(getgid()));
        SYS(usleep(1000));
    }
    ASSERT_EQ(had, 0);
    SYS(close(fd));
    for (int i = 0; i < 4; i++) join(threads[i]);
    SYS(unlink(name));
    return 0;
}
