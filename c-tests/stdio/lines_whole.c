// Fifty threads print 200 lines each to one pipe: no line is torn, none is lost, each thread's come in order.
#include "coop-test.h"

#define THREADS 50
#define LINES 200

static FILE *out;

static void *printer(void *argument)
{
    int me = (int)(intptr_t)argument;
    for (int i = 0; i < LINES; i++)
        ASSERT_GT(fprintf(out, "thread %d says line %d of %d to the same stream\n", me, i, LINES), 0);
    return NULL;
}

static void *reader(void *fd)
{
    FILE *in = fdopen(*(int *)fd, "r");
    ASSERT(in != NULL);
    int next[THREADS] = {0};
    char line[128], wanted[128];
    for (int i = 0; i < THREADS * LINES; i++) {
        int thread = -1;
        ASSERT(fgets(line, sizeof line, in) != NULL);
        ASSERT_EQ(sscanf(line, "thread %d", &thread), 1);
        ASSERT(thread >= 0 && thread < THREADS);
        snprintf(wanted, sizeof wanted, "thread %d says line %d of %d to the same stream\n", thread, next[thread]++, LINES);
        ASSERT_STR(line, wanted);
    }
    ASSERT(fgets(line, sizeof line, in) == NULL);
    fclose(in);
    return NULL;
}

int main(void)
{
    int ends[2];
    pthread_t threads[THREADS];
    SYS(pipe(ends));
    out = fdopen(ends[1], "w");
    ASSERT(out != NULL);
    setvbuf(out, NULL, _IOLBF, BUFSIZ);
    pthread_t last = spawn(reader, &ends[0]);
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(printer, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(fclose(out), 0);
    join(last);
    return 0;
}
