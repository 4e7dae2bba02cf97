// The open of a file that another process has a lease on waits until the lease is given up; threads go on meanwhile.
#include "coop-test.h"

static _Atomic int opened;

static void *opener(void *unused)
{
    (void)unused;
    SYS(close(SYS(open("file", O_RDWR))));
    opened = 1;
    return NULL;
}

int main(void)
{
    int ready[2], go[2];
    char word;
    SYS(pipe(ready));
    SYS(pipe(go));
    SYS(close(SYS(open("file", O_RDWR | O_CREAT, 0600))));
    pid_t child = SYS(fork());
    if (child == 0) {
        on_signal(SIGIO, SIG_IGN, 0);
        int fd = SYS(open("file", O_RDONLY));
        int set = fcntl(fd, F_SETLEASE, F_RDLCK);
        write_all(ready[1], set == 0 ? "y" : "n", 1);
        ASSERT_EQ(read_all(go[0], &word, 1), 1);
        fcntl(fd, F_SETLEASE, F_UNLCK);
        _exit(0);
    }
    ASSERT_EQ(read_all(ready[0], &word, 1), 1);
    pthread_t thread = spawn(opener, NULL);
    let_others_block();
    if (word == 'y') ASSERT_EQ(opened, 0);
    write_all(go[1], "x", 1);
    join(thread);
    ASSERT_EQ(finish(child), 0);
    return 0;
}
