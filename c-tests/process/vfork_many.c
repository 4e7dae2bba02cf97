// Sixteen vfork children that block at the same time: each suspends its own thread only, and each result is its own.
#include "coop-test.h"

enum { THREADS = 16 };
static int feeds[THREADS][2];
static volatile int blocked[THREADS];

static void *parent(void *argument)
{
    int i = (int)(intptr_t)argument;
    pid_t child = vfork();
    if (child == 0) {
        char got;
        blocked[i] = 1;
        _exit(read(feeds[i][0], &got, 1) == 1 ? got : 255);
    }
    ASSERT_GT(child, 0);
    ASSERT_EQ(finish(child), i + 1);
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) SYS(pipe(feeds[i]));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(parent, (void *)i);
    for (int i = 0; i < THREADS; i++) UNTIL(blocked[i]);
    for (int i = THREADS - 1; i >= 0; i--) {
        char byte = (char)(i + 1);
        write_all(feeds[i][1], &byte, 1);
        join(threads[i]);
    }
    return 0;
}
