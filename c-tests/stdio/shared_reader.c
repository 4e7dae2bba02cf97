// Threads that read lines from one stream, a pipe: each line goes to one of them, whole.
#include "coop-test.h"

#define THREADS 10
#define LINES 1000

static FILE *in;
static _Atomic int seen[LINES];

static void *reader(void *unused)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, in) > 0) {
        int number, same;
        ASSERT_EQ(sscanf(line, "line %d is line %d\n", &number, &same), 2);
        ASSERT_EQ(number, same);
        seen[number]++;
    }
    free(line);
    return unused;
}

int main(void)
{
    int ends[2];
    pthread_t threads[THREADS];
    SYS(pipe(ends));
    in = fdopen(ends[0], "r");
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(reader, NULL);
    for (int i = 0; i < LINES; i++) dprintf(ends[1], "line %d is line %d\n", i, i);
    SYS(close(ends[1]));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < LINES; i++) ASSERT_EQ(seen[i], 1);
    return 0;
}
