// Two processes that wait for each other's record locks: the kernel tells the one that closes the circle, EDEADLK.
#include "coop-test.h"

static int take(int fd, off_t at, int command)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
    return fcntl(fd, command, &lock);
}

static void *waits_for_second(void *fd)
{
    return (void *)(intptr_t)(take(*(int *)fd, 1, F_SETLKW) == 0 ? 0 : errno);
}

int main(void)
{
    int ready[2], fd = SYS(open("file", O_RDWR | O_CREAT, 0600));
    SYS(pipe(ready));
    SYS(take(fd, 0, F_SETLK));
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(take(fd, 1, F_SETLK));
        write_all(ready[1], "x", 1);
        // Waits for the parent, which waits for the child: whoever comes second is told, and lets go.
        if (take(fd, 0, F_SETLKW) == 0) _exit(0);
        _exit(errno == EDEADLK ? 1 : 2);
    }
    char word;
    ASSERT_EQ(read_all(ready[0], &word, 1), 1);
    pthread_t thread = spawn(waits_for_second, &fd);
    int error = (int)(intptr_t)join(thread);
    struct flock all = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    SYS(fcntl(fd, F_SETLK, &all));
    int other = finish(child);
    ASSERT((error == EDEADLK && other == 0) || (error == 0 && other == 1));
    return 0;
}
