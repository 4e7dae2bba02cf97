// A wait for children of all kinds (__WALL) whose child ends at once gives its status, and not EINTR for the handler of the signal that it sent.
#include "coop-test.h"
#include <sys/wait.h>

enum { ROUNDS = 300 };
static volatile int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void *waits(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        int status;
        pid_t pid = SYS(syscall(SYS_clone, SIGUSR2, NULL, NULL, NULL, NULL));
        if (pid == 0) _exit(7);
        ASSERT_EQ(SYS(waitpid(pid, &status, __WALL)), pid);
        ASSERT_EQ(WEXITSTATUS(status), 7);
        UNTIL(handled == i + 1);
    }
    return unused;
}

int main(void)
{
    on_signal(SIGUSR2, handler, 0);
    join(spawn(waits, NULL));
    return 0;
}
