// A hundred threads fork and reap a child each, all at once.
#include "coop-test.h"

static void *body(void *argument)
{
    int number = (int)(intptr_t)argument;
    pid_t child = SYS(fork());
    if (child == 0) {
        usleep(number * 100);
        _exit(number);
    }
    ASSERT_EQ(finish(child), number);
    return NULL;
}

int main(void)
{
    pthread_t threads[100];
    for (intptr_t i = 0; i < 100; i++) threads[i] = spawn_small(body, (void *)i);
    for (int i = 0; i < 100; i++) join(threads[i]);
    FAILS(wait(NULL), ECHILD);
    return 0;
}
