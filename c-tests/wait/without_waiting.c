// WNOHANG is 0 while the child runs, in waitpid, wait4 and waitid; afterwards it reaps.
#include "coop-test.h"
#include <sys/resource.h>

static int ends[2];

static void *body(void *unused)
{
    (void)unused;
    char byte;
    int status;
    siginfo_t info = {.si_pid = 1};
    struct rusage usage;
    pid_t child = SYS(fork());
    if (child == 0) {
        SYS(read(ends[0], &byte, 1));
        _exit(3);
    }
    ASSERT_EQ(SYS(waitpid(child, &status, WNOHANG)), 0);
    ASSERT_EQ(SYS(wait4(child, &status, WNOHANG, &usage)), 0);
    ASSERT_EQ(SYS(waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG)), 0);
    ASSERT_EQ(info.si_pid, 0);
    SYS(write(ends[1], "x", 1));
    pid_t reaped;
    while ((reaped = SYS(wait4(child, &status, WNOHANG, &usage))) == 0) sleep_ms(1);
    ASSERT_EQ(reaped, child);
    ASSERT_EQ(WEXITSTATUS(status), 3);
    return NULL;
}

int main(void)
{
    SYS(pipe(ends));
    join(spawn(body, NULL));
    body(NULL);
    return 0;
}
