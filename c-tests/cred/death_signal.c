// PR_SET_PDEATHSIG in a process of threads: it is told back, and the signal comes once when the parent dies.
#include "coop-test.h"
#include <sys/prctl.h>

static int report;

static void handler(int signal)
{
    (void)signal;
    write_all(report, "d", 1);
}

static void grandchild(void)
{
    int told = 0;
    on_signal(SIGUSR1, handler, 0);
    spawn(pause_for_ever, NULL);
    FAILS(prctl(PR_SET_PDEATHSIG, 1000), EINVAL);
    SYS(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    SYS(prctl(PR_GET_PDEATHSIG, &told));
    ASSERT_EQ(told, SIGUSR1);
    write_all(report, "r", 1);
    sleep_ms(150);
    _exit(0);
}

int main(void)
{
    int reports[2];
    char text[10] = "";
    SYS(pipe(reports));
    report = reports[1];
    pid_t child = SYS(fork());
    if (child == 0) {
        if (SYS(fork()) == 0) grandchild();
        for (;;) pause();
    }
    SYS(close(reports[1]));
    ASSERT_EQ(read_all(reports[0], text, 1), 1);
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    read_all(reports[0], text + 1, sizeof text - 2);
    ASSERT_STR(text, "rd");
    return 0;
}
