// exec from a thread while fifty others wait and run: they are gone, the process keeps its id, and its descriptors work.
#include "coop-test.h"

static int feed[2], answer[2];

static void *reads(void *unused)
{
    char byte;
    (void)unused;
    SYS(read(feed[0], &byte, 1));
    FAIL("nobody wrote");
}

static void *runs(void *unused)
{
    (void)unused;
    for (;;) sched_yield();
    return NULL;
}

static void *execs(void *unused)
{
    (void)unused;
    char script[100];
    let_others_block();
    snprintf(script, sizeof script, "test $$ = %d && echo $$ >&%d", getpid(), answer[1]);
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    FAIL("exec came back");
}

int main(void)
{
    char text[20] = "", wanted[20];
    SYS(pipe(feed));
    SYS(pipe(answer));
    pid_t child = SYS(fork());
    if (child == 0) {
        for (int i = 0; i < 48; i++) spawn_small(reads, NULL);
        for (int i = 0; i < 2; i++) spawn_small(runs, NULL);
        spawn(execs, NULL);
        for (;;) pause();
    }
    SYS(close(answer[1]));
    snprintf(wanted, sizeof wanted, "%d\n", child);
    read_all(answer[0], text, sizeof text - 1);
    ASSERT_STR(text, wanted);
    ASSERT_EQ(finish(child), 0);
    return 0;
}
