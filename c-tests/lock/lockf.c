// lockf between processes: F_LOCK waits, F_TLOCK says EAGAIN and F_TEST EACCES, F_ULOCK lets the thread that waits go on.
#include "coop-test.h"

static _Atomic int got;

static void *waiter(void *fd)
{
    SYS(lockf(*(int *)fd, F_LOCK, 100));
    got = 1;
    return NULL;
}

int main(void)
{
    int to_child[2], to_parent[2];
    char word;
    SYS(pipe(to_child));
    SYS(pipe(to_parent));
    int fd = SYS(open("file", O_RDWR | O_CREAT, 0600));
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(lockf(fd, F_LOCK, 0));
        write_all(to_parent[1], "x", 1);
        ASSERT_EQ(read_all(to_child[0], &word, 1), 1);
        SYS(lockf(fd, F_ULOCK, 0));
        ASSERT_EQ(read_all(to_child[0], &word, 1), 1);
        FAILS(lockf(fd, F_TEST, 10), EACCES);
        _exit(0);
    }
    ASSERT_EQ(read_all(to_parent[0], &word, 1), 1);
    FAILS(lockf(fd, F_TLOCK, 10), EAGAIN);
    FAILS(lockf(fd, F_TEST, 10), EACCES);
    pthread_t thread = spawn(waiter, &fd);
    let_others_block();
    ASSERT_EQ(got, 0);
    write_all(to_child[1], "x", 1);
    join(thread);
    write_all(to_child[1], "x", 1);
    ASSERT_EQ(finish(child), 0);
    return 0;
}
