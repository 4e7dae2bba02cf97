// SIGPIPE's default action ends a process whose thread writes to a broken pipe.
#include "coop-test.h"

static int ends[2];

static void *writer(void *unused)
{
    (void)unused;
    write_all(ends[1], "x", 1);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    SYS(close(ends[0]));
    pid_t child = SYS(fork());
    if (child == 0) {
        join(spawn(writer, NULL));
        _exit(0);
    }
    ASSERT_EQ(finish(child), 128 + SIGPIPE);
    return 0;
}
