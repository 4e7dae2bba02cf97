// A thousand threads printf to one stdout that is a pipe with a slow reader: no line is lost or torn.
#include "coop-test.h"

#define THREADS 1000
#define LINES 5

static void *printer(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int i = 0; i < LINES; i++) ASSERT_GT(printf("<%d line %d of thread %d>\n", me, i, me), 0);
    return NULL;
}

static void *all(void *unused)
{
    static pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn_small(printer, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(fflush(stdout), 0);
    return unused;
}

int main(void)
{
    static char seen[THREADS][LINES];
    int ends[2], real = SYS(dup(1));
    char line[128];
    SYS(pipe(ends));
    SYS(dup2(ends[1], 1));
    pthread_t printers = spawn(all, NULL);
    let_others_block();
    FILE *in = fdopen(ends[0], "r");
    for (int n = 0; n < THREADS * LINES; n++) {
        int me, i, again;
        ASSERT(fgets(line, sizeof line, in) != NULL);
        ASSERT_EQ(sscanf(line, "<%d line %d of thread %d>\n", &me, &i, &again), 3);
        ASSERT_EQ(me, again);
        ASSERT(me >= 0 && me < THREADS && i >= 0 && i < LINES);
        ASSERT_EQ(seen[me][i]++, 0);
        ASSERT_EQ(line[strlen(line) - 2], '>');
    }
    join(printers);
    SYS(dup2(real, 1));
    puts("all there");
    return 0;
}
