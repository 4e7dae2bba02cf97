// tcdrain and tcsetattr(TCSADRAIN) on a stopped terminal wait until its output may go, and the other threads do not.
#include "terminal.h"

static int master, slave;

static void *writer(void *unused)
{
    (void)unused;
    struct termios settings;
    write_all(slave, "out", 3);
    SYS(tcdrain(slave));
    SYS(tcgetattr(slave, &settings));
    SYS(tcsetattr(slave, TCSADRAIN, &settings));
    SYS(tcsendbreak(slave, 0));
    return NULL;
}

int main(void)
{
    char got[3];
    master = new_terminal(&slave);
    SYS(tcflow(slave, TCOOFF));
    pthread_t thread = spawn(writer, NULL);
    let_others_block();
    SYS(tcflow(slave, TCOON));
    ASSERT_EQ(read_all(master, got, 3), 3);
    join(thread);
    return 0;
}
