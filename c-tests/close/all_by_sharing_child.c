// A child process that shares the table of descriptors closes all of them, the library's too: the program says so and aborts, and does not hang.
// only: preloaded
#include "coop-test.h"

static int closes_all(void *unused)
{
    (void)unused;
    close_range(3, ~0U, 0);
    return 0;
}

static void *sleeps(void *unused)
{
    for (;;) sleep(1);
    return unused;
}

int main(void)
{
    int pair[2];
    SYS(pipe(pair));
    pid_t child = SYS(fork());
    if (child == 0) {
        static char stack[65536];
        SYS(dup2(pair[1], 2));
        SYS(close(pair[0]));
        spawn(sleeps, NULL);
        SYS(clone(closes_all, stack + sizeof stack, CLONE_FILES | SIGCHLD, NULL));
        for (;;) sleep(1);
    }
    SYS(close(pair[1]));
    char said[1000];
    size_t used = read_all(pair[0], said, sizeof said - 1);
    said[used] = 0;
    ASSERT(strstr(said, "libcoop: cannot go on") != NULL);
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT(WIFSIGNALED(status));
    ASSERT_EQ(WTERMSIG(status), SIGABRT);
    return 0;
}
