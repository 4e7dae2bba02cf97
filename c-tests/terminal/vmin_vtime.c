// Raw reads: VMIN 0 ends at once, VTIME ends a read after a while, VMIN waits for so many bytes, or for a pause between them.
#include "terminal.h"

static int master, slave;

static void *reader(void *wanted)
{
    char bytes[16];
    ASSERT_EQ(SYS(read(slave, bytes, sizeof bytes)), (long)(intptr_t)wanted);
    return NULL;
}

static void *body(void *unused)
{
    (void)unused;
    char byte;
    set_raw(slave, 0, 0);
    ASSERT_EQ(SYS(read(slave, &byte, 1)), 0);
    write_all(master, "x", 1);
    ASSERT_EQ(SYS(read(slave, &byte, 1)), 1);
    set_raw(slave, 0, 1);
    int64_t start = now_ns(CLOCK_MONOTONIC);
    ASSERT_EQ(SYS(read(slave, &byte, 1)), 0);
    ASSERT_GE(ms_since(start), 80);
    set_raw(slave, 3, 0);
    pthread_t thread = spawn(reader, (void *)3);
    write_all(master, "ab", 2);
    let_others_block();
    GIVES(pthread_tryjoin_np(thread, NULL), EBUSY);
    write_all(master, "c", 1);
    join(thread);
    // After the first byte a tenth of a second without another ends it.
    set_raw(slave, 5, 1);
    thread = spawn(reader, (void *)2);
    let_others_block();
    write_all(master, "ab", 2);
    join(thread);
    return NULL;
}

int main(void)
{
    master = new_terminal(&slave);
    join(spawn(body, NULL));
    return 0;
}
