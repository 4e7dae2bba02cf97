// COOP_CLOSE=wake: closing a terminal ends its reads with EBADF, however they wait for their first byte; what they give otherwise stays as it is.
// env: COOP_CLOSE=wake
// only: preloaded
#include "../terminal/terminal.h"

static int master, slave;

static void *reads(void *unused)
{
    char byte;
    FAILS(read(slave, &byte, 1), EBADF);
    return unused;
}

static void closed_under(int vmin, int vtime)
{
    if (vmin != -1) set_raw(slave, vmin, vtime);
    pthread_t thread = spawn(reads, NULL);
    until_others_wait();
    SYS(close(slave));
    join(thread);
    SYS(close(master));
}

int main(void)
{
    char bytes[4];
    int settings[][2] = {{-1, 0}, {1, 0}, {3, 1}, {0, 250}};
    for (int i = 0; i < 4; i++) {
        master = new_terminal(&slave);
        closed_under(settings[i][0], settings[i][1]);
    }
    master = new_terminal(&slave);
    set_raw(slave, 0, 1);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(SYS(read(slave, bytes, 1)), 0);
    ASSERT_GE(ms_since(start), 80);
    set_raw(slave, 2, 1);
    write_all(master, "x", 1);
    ASSERT_EQ(SYS(read(slave, bytes, 2)), 1);
    return 0;
}
