// A thread that waits in fgets holds only its own stream: others print and read theirs.
#include "coop-test.h"

static FILE *slow_in, *slow_out;

static void *reader(void *unused)
{
    (void)unused;
    char line[64];
    ASSERT(fgets(line, sizeof line, slow_in) != NULL);
    ASSERT_STR(line, "a late line\n");
    return NULL;
}

static void *printer(void *argument)
{
    FILE *scratch = tmpfile();
    char line[64];
    ASSERT(scratch != NULL);
    for (int i = 0; i < 20; i++) fprintf(scratch, "%d\n", i);
    rewind(scratch);
    for (int i = 0; i < 20; i++) {
        ASSERT(fgets(line, sizeof line, scratch) != NULL);
        ASSERT_EQ(atoi(line), i);
    }
    fclose(scratch);
    return argument;
}

int main(void)
{
    int ends[2];
    pthread_t threads[5];
    SYS(pipe(ends));
    slow_in = fdopen(ends[0], "r");
    slow_out = fdopen(ends[1], "w");
    pthread_t waiting = spawn(reader, NULL);
    let_others_block();
    for (int i = 0; i < 5; i++) threads[i] = spawn(printer, NULL);
    for (int i = 0; i < 5; i++) join(threads[i]);
    puts("others print");
    fflush(stdout);
    fputs("a late", slow_out);
    fflush(slow_out);
    let_others_block();
    GIVES(pthread_tryjoin_np(waiting, NULL), EBUSY);
    fputs(" line\n", slow_out);
    fflush(slow_out);
    join(waiting);
    puts("and the late line came");
    return 0;
}
