// Reads of a terminal wait for a line, or raw for a byte; a write to a stopped one waits too.
#include "coop-test.h"
#include <termios.h>

static int master, slave;

static void *reader(void *wanted)
{
    char line[64] = "";
    ssize_t got = SYS(read(slave, line, sizeof line - 1));
    ASSERT_EQ(got, strlen((char *)wanted));
    ASSERT_STR(line, (char *)wanted);
    return NULL;
}

static void *writer(void *unused)
{
    (void)unused;
    ASSERT_EQ(SYS(write(slave, "late", 4)), 4);
    return NULL;
}

int main(void)
{
    struct termios settings;
    master = SYS(posix_openpt(O_RDWR | O_NOCTTY));
    SYS(grantpt(master));
    SYS(unlockpt(master));
    slave = SYS(open(ptsname(master), O_RDWR | O_NOCTTY));
    SYS(tcgetattr(slave, &settings));
    settings.c_lflag &= ~(tcflag_t)ECHO;
    SYS(tcsetattr(slave, TCSANOW, &settings));

    pthread_t thread = spawn(reader, (void *)"one line\n");
    let_others_block();
    write_all(master, "one ", 4);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    write_all(master, "line\n", 5);
    join(thread);

    cfmakeraw(&settings);
    SYS(tcsetattr(slave, TCSANOW, &settings));
    thread = spawn(reader, (void *)"k");
    let_others_block();
    write_all(master, "k", 1);
    join(thread);

    char got[4];
    SYS(tcflow(slave, TCOOFF));
    thread = spawn(writer, NULL);
    let_others_block();
    SYS(tcflow(slave, TCOON));
    ASSERT_EQ(read_all(master, got, 4), 4);
    ASSERT_MEM(got, "late", 4);
    join(thread);
    return 0;
}
