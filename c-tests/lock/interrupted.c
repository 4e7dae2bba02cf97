// A signal ends waits for flock, record and OFD locks with EINTR; under SA_RESTART they go on.
#include "coop-test.h"
#include <sys/file.h>

static _Atomic int handled, failed, got;

static void count(int number)
{
    (void)number;
    handled++;
}

static int take(int how, int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    if (how == 0) return flock(fd, LOCK_EX);
    return fcntl(fd, how == 1 ? F_SETLKW : F_OFD_SETLKW, &lock);
}

static void *interrupted(void *how)
{
    int fd = SYS(open("file", O_RDWR));
    FAILS(take((int)(intptr_t)how, fd), EINTR);
    SYS(close(fd));
    failed = 1;
    return NULL;
}

static void *restarted(void *how)
{
    int fd = SYS(open("file", O_RDWR));
    SYS(take((int)(intptr_t)how, fd));
    SYS(close(fd));
    got = 1;
    return NULL;
}

int main(void)
{
    int ends[2];
    SYS(close(SYS(open("file", O_RDWR | O_CREAT, 0600))));
    for (int how = 0; how < 3; how++) {
        // Another process holds it: a record lock is no obstacle to its own process.
        SYS(pipe(ends));
        int ready[2];
        SYS(pipe(ready));
        pid_t holder = SYS(fork());
        if (holder == 0) {
            SYS(close(ends[1]));
            int fd = SYS(open("file", O_RDWR));
            SYS(take(how, fd));
            write_all(ready[1], "x", 1);
            char end;
            _exit(read(ends[0], &end, 1) == 0 ? 0 : 1);
        }
        char word;
        ASSERT_EQ(read_all(ready[0], &word, 1), 1);
        handled = failed = got = 0;
        on_signal(SIGUSR1, count, 0);
        pthread_t thread = spawn(interrupted, (void *)(intptr_t)how);
        while (!failed) {
            pthread_kill(thread, SIGUSR1);
            sleep_ms(2);
        }
        join(thread);
        on_signal(SIGUSR1, count, SA_RESTART);
        handled = 0;
        thread = spawn(restarted, (void *)(intptr_t)how);
        let_others_block();
        OK(pthread_kill(thread, SIGUSR1));
        UNTIL(handled == 1);
        ASSERT_EQ(got, 0);
        SYS(close(ends[1]));
        join(thread);
        ASSERT_EQ(finish(holder), 0);
    }
    return 0;
}
