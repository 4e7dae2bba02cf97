// Waiting for a process group reaps its members and no others.
#include "coop-test.h"

static int ends[2];

static void *waiter(void *argument)
{
    int status;
    pid_t leader = (pid_t)(intptr_t)argument;
    ASSERT_EQ(SYS(waitpid(-leader, &status, 0)), leader);
    ASSERT_EQ(WEXITSTATUS(status), 11);
    FAILS(waitpid(-leader, &status, 0), ECHILD);
    return NULL;
}

int main(void)
{
    char byte;
    SYS(pipe(ends));
    pid_t other = SYS(fork());
    if (other == 0) _exit(22);
    pid_t leader = SYS(fork());
    if (leader == 0) {
        SYS(read(ends[0], &byte, 1));
        _exit(11);
    }
    SYS(setpgid(leader, leader));
    pthread_t thread = spawn(waiter, (void *)(intptr_t)leader);
    let_others_block();
    SYS(write(ends[1], "x", 1));
    join(thread);
    ASSERT_EQ(finish(other), 22);
    return 0;
}
