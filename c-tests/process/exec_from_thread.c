// exec by a thread replaces the process: same pid; environment, mask, ignored signals and open files as POSIX says; threads gone.
#include "coop-test.h"

static char **program;

static void check(char **arguments)
{
    sigset_t mask;
    struct sigaction action;
    ASSERT_EQ(getpid(), atoi(arguments[2]));
    ASSERT_EQ(my_tid(), getpid());
    ASSERT_STR(getenv("COLOUR"), "green");
    OK(pthread_sigmask(SIG_SETMASK, NULL, &mask));
    ASSERT(sigismember(&mask, SIGUSR2));
    ASSERT(!sigismember(&mask, SIGUSR1));
    ASSERT(!sigismember(&mask, SIGTERM));
    SYS(sigaction(SIGHUP, NULL, &action));
    ASSERT(action.sa_handler == SIG_IGN);
    SYS(sigaction(SIGUSR1, NULL, &action));
    ASSERT(action.sa_handler == SIG_DFL);
    char byte;
    ASSERT_EQ(SYS(read(atoi(arguments[3]), &byte, 1)), 1);
    FAILS(fcntl(atoi(arguments[4]), F_GETFD), EBADF);
}

static void handler(int number) { (void)number; }

static void *executor(void *unused)
{
    (void)unused;
    int ends[2], closing = SYS(open("/dev/null", O_RDONLY | O_CLOEXEC));
    char numbers[3][16];
    SYS(pipe(ends));
    write_all(ends[1], "x", 1);
    snprintf(numbers[0], 16, "%d", getpid());
    snprintf(numbers[1], 16, "%d", ends[0]);
    snprintf(numbers[2], 16, "%d", closing);
    sigset_t usr2 = signal_set(SIGUSR2);
    OK(pthread_sigmask(SIG_BLOCK, &usr2, NULL));
    char *arguments[] = {program[0], (char *)"again", numbers[0], numbers[1], numbers[2], NULL};
    SYS(setenv("COLOUR", "green", 1));
    SYS(execv("/proc/self/exe", arguments));
    return NULL;
}

int main(int count, char **arguments)
{
    program = arguments;
    if (count > 1) {
        check(arguments);
        // And it can have threads again.
        pthread_t thread = spawn(pause_for_ever, NULL);
        OK(pthread_cancel(thread));
        join(thread);
        return 0;
    }
    signal(SIGHUP, SIG_IGN);
    on_signal(SIGUSR1, handler, 0);
    for (int i = 0; i < 5; i++) spawn(pause_for_ever, NULL);
    spawn(executor, NULL);
    for (;;) pause();
}
