// The usual way to learn of a failed exec: a pipe that closes on exec tells the parent either the error or that it went well.
#include "coop-test.h"

static void *starts(void *argument)
{
    const char *path = argument;
    for (int i = 0; i < 5; i++) {
        int report[2], error = 0;
        SYS(pipe2(report, O_CLOEXEC));
        pid_t child = SYS(fork());
        if (child == 0) {
            execl(path, path, (char *)NULL);
            error = errno;
            write_all(report[1], &error, sizeof error);
            _exit(127);
        }
        SYS(close(report[1]));
        size_t got = read_all(report[0], &error, sizeof error);
        SYS(close(report[0]));
        int good = strcmp(path, "/bin/true") == 0;
        ASSERT_EQ(got, good ? 0 : sizeof error);
        ASSERT_EQ(error, good ? 0 : ENOENT);
        ASSERT_EQ(finish(child), good ? 0 : 127);
    }
    return NULL;
}

int main(void)
{
    pthread_t one = spawn(starts, "/bin/true"), two = spawn(starts, "/no/such/file");
    join(one);
    join(two);
    return 0;
}
