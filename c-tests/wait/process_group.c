// waitpid(-pgid) and waitpid(0): a thread gets the children of that process group and no others.
#include "coop-test.h"

static pid_t child_in(pid_t group, int status)
{
    pid_t child = SYS(fork());
    if (child == 0) {
        setpgid(0, group);
        sleep_ms(10);
        _exit(status);
    }
    setpgid(child, group == 0 ? child : group);
    return child;
}

static void *waits(void *argument)
{
    pid_t group = (pid_t)(intptr_t)argument;
    int status, sum = 0;
    while (waitpid(-group, &status, 0) > 0) sum += WEXITSTATUS(status);
    ASSERT_EQ(errno, ECHILD);
    ASSERT_EQ(sum, 3);
    return NULL;
}

int main(void)
{
    spawn(pause_for_ever, NULL);
    pid_t first = child_in(0, 1);
    child_in(first, 2);
    pid_t other = child_in(0, 40);
    join(spawn(waits, (void *)(intptr_t)first));
    ASSERT_EQ(finish(other), 40);
    FAILS(waitpid(0, NULL, 0), ECHILD);
    return 0;
}
