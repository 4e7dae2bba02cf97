// quick_exit from a thread runs its own handlers once and no others, and ends the process with its status.
#include "coop-test.h"

static int report;

static void quick(void)
{
    write_all(report, "q", 1);
}

static void slow(void)
{
    write_all(report, "s", 1);
}

static void *exits(void *unused)
{
    (void)unused;
    quick_exit(7);
}

int main(void)
{
    int reports[2];
    char text[10] = "";
    SYS(pipe(reports));
    pid_t child = SYS(fork());
    if (child == 0) {
        report = reports[1];
        at_quick_exit(quick);
        atexit(slow);
        spawn(exits, NULL);
        for (;;) pause();
    }
    SYS(close(reports[1]));
    ASSERT_EQ(finish(child), 7);
    read_all(reports[0], text, sizeof text);
    ASSERT_STR(text, "q");
    return 0;
}
