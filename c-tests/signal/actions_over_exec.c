// A program that a thread calls exec for inherits what is ignored, faults' signals too; what had a handler has its default again.
#include "coop-test.h"

static char *self;
static const int ignored[] = {SIGSEGV, SIGBUS, SIGFPE, SIGUSR1, SIGCHLD};
static const int handled[] = {SIGILL, SIGTRAP, SIGUSR2, SIGALRM};

static void handler(int number)
{
    (void)number;
}

static void *body(void *unused)
{
    FAILS(execl("/nonexistent/program", "x", NULL), ENOENT);
    struct sigaction now;
    for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        SYS(sigaction(ignored[i], NULL, &now));
        ASSERT(now.sa_handler == SIG_IGN);
    }
    // A wild pointer still is an error after the failed exec.
    FAILS(syscall(SYS_nanosleep, 4096 + 16, NULL), EFAULT);
    SYS(execl(self, self, "again", NULL));
    return unused;
}

int main(int count, char **arguments)
{
    struct sigaction now;
    if (count == 1) {
        self = arguments[0];
        for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) on_signal(ignored[i], SIG_IGN, 0);
        for (unsigned i = 0; i < sizeof handled / sizeof *handled; i++) on_signal(handled[i], handler, 0);
        join(spawn(body, NULL));
        FAIL("exec came back");
    }
    for (unsigned i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        SYS(sigaction(ignored[i], NULL, &now));
        if (now.sa_handler != SIG_IGN) FAIL("signal %d is not ignored", ignored[i]);
    }
    for (unsigned i = 0; i < sizeof handled / sizeof *handled; i++) {
        SYS(sigaction(handled[i], NULL, &now));
        if (now.sa_handler != SIG_DFL) FAIL("signal %d has no default", handled[i]);
    }
    return 0;
}
