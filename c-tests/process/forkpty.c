// forkpty and login_tty from a thread: the child has the terminal as its controlling one, and both sides talk.
// libs: -lutil
#include "coop-test.h"
#include <pty.h>
#include <utmp.h>

static void *talks(void *own_login)
{
    int master, slave;
    char text[100] = "";
    size_t used = 0;
    pid_t child;
    if (own_login) {
        SYS(openpty(&master, &slave, NULL, NULL, NULL));
        child = SYS(fork());
        if (child == 0) {
            close(master);
            SYS(login_tty(slave));
        } else {
            SYS(close(slave));
        }
    } else {
        child = SYS(forkpty(&master, NULL, NULL, NULL));
    }
    if (child == 0) {
        ASSERT(isatty(0) && isatty(1) && isatty(2));
        ASSERT_EQ(tcgetpgrp(0), getpid());
        execl("/bin/sh", "sh", "-c", "stty -echo; echo ready; read line; echo got $line; read line; exit 4", (char *)NULL);
        _exit(99);
    }
    while (strstr(text, "ready") == NULL) used += SYS(read(master, text + used, sizeof text - 1 - used));
    write_all(master, "hello\n", 6);
    while (strstr(text, "got hello") == NULL) used += SYS(read(master, text + used, sizeof text - 1 - used));
    // Only now: Linux may say EIO for a terminal whose last user has gone before it gives what that one wrote last.
    write_all(master, "end\n", 4);
    ASSERT_EQ(finish(child), 4);
    SYS(close(master));
    return NULL;
}

int main(void)
{
    join(spawn(talks, NULL));
    join(spawn(talks, "own"));
    talks(NULL);
    return 0;
}
