// exit from a thread flushes what other threads have printed, and does not wait for one that reads.
// expect-exit: 3
#include "coop-test.h"

static int ends[2];

static void *reader(void *unused)
{
    FILE *in = fdopen(ends[0], "r");
    char line[16];
    (void)!fgets(line, sizeof line, in);
    return unused;
}

static void *leaver(void *unused)
{
    printf("printed by a thread, ");
    exit(3);
    return unused;
}

int main(void)
{
    SYS(pipe(ends));
    spawn(reader, NULL);
    let_others_block();
    printf("printed by main, ");
    spawn(leaver, NULL);
    pause_for_ever(NULL);
}
