// Whatever the limit of descriptors, hard and soft: a program that runs natively runs, as tasks or as threads.
#include "coop-test.h"
#include <sys/resource.h>

static int ends[2];

static void *reader(void *unused)
{
    char byte;
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    return unused;
}

int main(void)
{
    for (int fd = 3; fd < 4096; fd++) close(fd);
    for (int most = 5; most < 60; most += most < 30 ? 3 : 9) {
        pid_t child = SYS(fork());
        if (child == 0) {
            // What the library says when it stays out is not what this is about.
            struct rlimit limit = {most, most};
            SYS(setrlimit(RLIMIT_NOFILE, &limit));
            SYS(pipe(ends));
            close(2);
            pthread_t thread = spawn(reader, NULL);
            sleep_ms(2);
            write_all(ends[1], "x", 1);
            join(thread);
            _exit(0);
        }
        ASSERT_EQ(finish(child), 0);
    }
    return 0;
}
