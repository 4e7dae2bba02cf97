// A process killed while its threads read from and write to a terminal leaves the terminal's flags as they were.
// libs: -lutil
#include "coop-test.h"
#include <pty.h>

static int terminal;

static void *reader(void *unused)
{
    (void)unused;
    char line[16];
    SYS(read(terminal, line, sizeof line));
    return NULL;
}

int main(void)
{
    int master;
    SYS(openpty(&master, &terminal, NULL, NULL, NULL));
    int before = SYS(fcntl(terminal, F_GETFL)), told[2];
    SYS(pipe(told));
    pid_t child = SYS(fork());
    if (child == 0) {
        spawn(reader, NULL);
        let_others_block();
        write_all(terminal, "prompt> ", 8);
        write_all(told[1], "x", 1);
        pause_for_ever(NULL);
    }
    char byte;
    ASSERT_EQ(SYS(read(told[0], &byte, 1)), 1);
    ASSERT_EQ(SYS(fcntl(terminal, F_GETFL)), before);
    SYS(kill(child, SIGKILL));
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    ASSERT_EQ(SYS(fcntl(terminal, F_GETFL)), before);
    return 0;
}
