// SIGSEGV that another process sends is no fault: a thread's handler gets it as any signal, with who sent it, and nothing is undone.
#include "coop-test.h"

static __thread int mine = 7;
static _Atomic int handled;
static pid_t child;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGSEGV);
    ASSERT_EQ(info->si_code, SI_USER);
    ASSERT_EQ(info->si_pid, child);
    ASSERT_EQ(info->si_uid, getuid());
    ASSERT_EQ(mine, 7);
    handled++;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    SYS(sigaction(SIGSEGV, &action, NULL));
    pthread_t thread = spawn(pause_for_ever, NULL);
    int go[2];
    char byte;
    SYS(pipe(go));
    child = SYS(fork());
    if (child == 0) {
        for (int i = 0; i < 5; i++) {
            read_all(go[0], &byte, 1);
            SYS(kill(getppid(), SIGSEGV));
        }
        _exit(0);
    }
    for (int i = 1; i <= 5; i++) {
        SYS(write(go[1], "x", 1));
        UNTIL(handled == i);
    }
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(handled, 5);
    OK(pthread_cancel(thread));
    join(thread);
    return 0;
}
