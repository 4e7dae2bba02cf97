// Nothing but signals interrupts calls that the doors do not know, however busy the others are and whatever the library does.
#include "not_caught.h"
#include <stdatomic.h>

#define READERS 4
#define BYTES 30

static int ends[READERS][2];
static atomic_int stop;

static void *reader(void *argument)
{
    long me = (long)argument;
    for (int i = 0; i < BYTES; i++) {
        char byte = 0;
        ASSERT_EQ(hidden_call(SYS_read, ends[me][0], (long)&byte, 1, 0, 0), 1);
        ASSERT_EQ(byte, (char)i);
    }
    return NULL;
}

static void *compute(void *unused)
{
    while (!atomic_load(&stop)) {
        for (volatile int i = 0; i < 10000; i++) {}
    }
    return unused;
}

int main(void)
{
    pthread_t readers[READERS], busy[2];
    for (long i = 0; i < READERS; i++) {
        SYS(pipe(ends[i]));
        readers[i] = spawn(reader, (void *)i);
    }
    for (int i = 0; i < 2; i++) busy[i] = spawn(compute, NULL);
    for (int i = 0; i < BYTES; i++) {
        for (int r = 0; r < READERS; r++) {
            char byte = (char)i;
            SYS(write(ends[r][1], &byte, 1));
        }
        if (i % 5 == 0) sleep_ms(15);
        // On all OS threads.
        if (i % 4 == 0) OK(setgid(getgid()));
    }
    for (int i = 0; i < READERS; i++) join(readers[i]);
    atomic_store(&stop, 1);
    for (int i = 0; i < 2; i++) join(busy[i]);
    return 0;
}
