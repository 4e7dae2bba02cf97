// SA_NOCLDSTOP: SIGCHLD comes for children's ends alone, while a wait with WUNTRACED still hears of stops.
#include "coop-test.h"

static _Atomic int handled;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)number, (void)context;
    ASSERT_EQ(info->si_code, CLD_EXITED);
    ASSERT_EQ(info->si_status, 8);
    handled++;
}

static void *body(void *argument)
{
    int status;
    pid_t child = *(pid_t *)argument;
    ASSERT_EQ(SYS(waitpid(-1, &status, WUNTRACED)), child);
    ASSERT(WIFSTOPPED(status));
    SYS(kill(child, SIGCONT));
    ASSERT_EQ(SYS(waitpid(-1, &status, WCONTINUED)), child);
    ASSERT(WIFCONTINUED(status));
    return NULL;
}

int main(void)
{
    int ends[2];
    char byte;
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP};
    SYS(sigaction(SIGCHLD, &action, NULL));
    SYS(pipe(ends));
    pid_t child = SYS(fork());
    if (child == 0) _exit(read(ends[0], &byte, 1) == 1 ? 8 : 1);
    pthread_t thread = spawn(body, &child);
    let_others_block();
    SYS(kill(child, SIGSTOP));
    join(thread);
    ASSERT_EQ(handled, 0);
    SYS(write(ends[1], "x", 1));
    ASSERT_EQ(finish(child), 8);
    UNTIL(handled == 1);
    return 0;
}
