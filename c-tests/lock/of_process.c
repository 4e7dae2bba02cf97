// Record locks are the process's: its threads do not conflict, another process waits, and any close of the file lets go of all.
#include "coop-test.h"

static int take(int fd, int command)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    return fcntl(fd, command, &lock);
}

static void *taker(void *unused)
{
    (void)unused;
    int fd = SYS(open("file", O_RDWR));
    SYS(take(fd, F_SETLKW));
    return (void *)(intptr_t)fd;
}

int main(void)
{
    int ready[2];
    SYS(pipe(ready));
    int fd = SYS(open("file", O_RDWR | O_CREAT, 0600));
    SYS(take(fd, F_SETLKW));
    int second = (int)(intptr_t)join(spawn(taker, NULL));
    pid_t child = SYS(fork());
    if (child == 0) {
        FAILS(take(fd, F_SETLK), EAGAIN);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
        SYS(fcntl(fd, F_GETLK, &lock));
        ASSERT_EQ(lock.l_pid, getppid());
        write_all(ready[1], "x", 1);
        pthread_t thread = spawn(taker, NULL);
        join(thread);
        _exit(0);
    }
    char word;
    ASSERT_EQ(read_all(ready[0], &word, 1), 1);
    let_others_block();
    ASSERT_EQ(SYS(waitpid(child, NULL, WNOHANG)), 0);
    SYS(close(second));
    ASSERT_EQ(finish(child), 0);
    return 0;
}
