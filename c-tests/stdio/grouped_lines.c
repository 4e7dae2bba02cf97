// flockfile keeps several prints together, also while its holder waits for something else in between.
#include "coop-test.h"

#define THREADS 20

static FILE *stream;

static void *printer(void *argument)
{
    for (int i = 0; i < 5; i++) {
        flockfile(stream);
        fprintf(stream, "begin %ld\n", (long)(intptr_t)argument);
        if (i == 0) sleep_ms(1);
        sched_yield();
        fprintf(stream, "end %ld\n", (long)(intptr_t)argument);
        funlockfile(stream);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    stream = tmpfile();
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(printer, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    rewind(stream);
    for (int i = 0; i < THREADS * 5; i++) {
        int begins, ends;
        ASSERT_EQ(fscanf(stream, " begin %d end %d", &begins, &ends), 2);
        ASSERT_EQ(begins, ends);
    }
    fclose(stream);
    return 0;
}
