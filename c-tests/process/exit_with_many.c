// exit while two thousand threads wait and some do I/O: the handlers of atexit run once, in reverse order, and the status is right.
#include "coop-test.h"

static int feed[2], report;

static void *waits(void *unused)
{
    char byte;
    (void)unused;
    return (void *)(intptr_t)read(feed[0], &byte, 1);
}

static void *works(void *unused)
{
    int fds[2];
    char bytes[100] = "";
    (void)unused;
    SYS(pipe(fds));
    for (;;) {
        write_all(fds[1], bytes, sizeof bytes);
        read_all(fds[0], bytes, sizeof bytes);
    }
    return NULL;
}

static void first(void)
{
    write_all(report, "1", 1);
}

static void second(void)
{
    write_all(report, "2", 1);
}

static void *exits(void *unused)
{
    (void)unused;
    exit(42);
}

int main(void)
{
    int reports[2];
    char text[10] = "";
    SYS(pipe(reports));
    SYS(pipe(feed));
    pid_t child = SYS(fork());
    if (child == 0) {
        report = reports[1];
        atexit(first);
        atexit(second);
        for (int i = 0; i < 2000; i++) spawn_small(waits, NULL);
        for (int i = 0; i < 4; i++) spawn_small(works, NULL);
        sleep_ms(10);
        spawn(exits, NULL);
        for (;;) pause();
    }
    SYS(close(reports[1]));
    ASSERT_EQ(finish(child), 42);
    ASSERT_EQ(read_all(reports[0], text, sizeof text), 2);
    ASSERT_STR(text, "21");
    return 0;
}
