// Around vfork the parent's callee-saved and vector registers and its errno stay.
#include "coop-test.h"

static void *parent(void *unused)
{
    (void)unused;
    double values[8];
    for (int i = 0; i < 8; i++) values[i] = i * 1.25;
    volatile long sum = 0;
    for (volatile int i = 1; i <= 20; i++) {
        errno = 77;
        pid_t child = vfork();
        if (child == 0) _exit(i);
        ASSERT_EQ(errno, 77);
        sum += finish(child);
        for (int j = 0; j < 8; j++) ASSERT(values[j] == j * 1.25);
    }
    ASSERT_EQ(sum, 210);
    return NULL;
}

int main(void)
{
    pthread_t one = spawn(parent, NULL), two = spawn(parent, NULL);
    join(one);
    join(two);
    return 0;
}
