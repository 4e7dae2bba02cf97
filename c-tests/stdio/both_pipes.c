// A child fills its stdout and stderr; a thread for each drains them at once, so that neither side gets stuck.
#include "coop-test.h"

#define SIZE (1 << 20)

static void *drain(void *fd)
{
    char buffer[3000];
    size_t total = 0;
    ssize_t got;
    while ((got = SYS(read(*(int *)fd, buffer, sizeof buffer))) > 0) {
        for (ssize_t i = 0; i < got; i++) ASSERT_EQ(buffer[i], buffer[0]);
        total += (size_t)got;
    }
    return (void *)total;
}

static void *fill(void *argument)
{
    int fd = (int)(intptr_t)argument;
    static char bytes[2][SIZE];
    memset(bytes[fd - 1], fd == 1 ? 'o' : 'e', SIZE);
    write_all(fd, bytes[fd - 1], SIZE);
    return NULL;
}

int main(void)
{
    int out[2], err[2];
    SYS(pipe(out));
    SYS(pipe(err));
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(dup2(out[1], 1));
        SYS(dup2(err[1], 2));
        // First as one thread, in small pieces, then as two.
        for (int i = 0; i < 200; i++) {
            write_all(1, "oooooooooooooooo", 16);
            write_all(2, "eeeeeeeeeeeeeeee", 16);
        }
        pthread_t one = spawn(fill, (void *)1), two = spawn(fill, (void *)2);
        join(one);
        join(two);
        _exit(0);
    }
    SYS(close(out[1]));
    SYS(close(err[1]));
    pthread_t one = spawn(drain, &out[0]), two = spawn(drain, &err[0]);
    ASSERT_EQ((size_t)join(one), SIZE + 3200);
    ASSERT_EQ((size_t)join(two), SIZE + 3200);
    ASSERT_EQ(finish(child), 0);
    return 0;
}
