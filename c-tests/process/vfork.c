// vfork from threads and main: the child runs on the parent's memory until it execs or exits, then the parent goes on.
#include "coop-test.h"

static void *body(void *argument)
{
    char command[32];
    snprintf(command, sizeof command, "exit %d", (int)(intptr_t)argument);
    volatile int changed = 0;
    pid_t child = vfork();
    if (child == 0) {
        changed = 1;
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(99);
    }
    ASSERT_GT(child, 0);
    ASSERT_EQ(changed, 1);
    ASSERT_EQ(finish(child), (intptr_t)argument);

    child = vfork();
    if (child == 0) {
        changed = 2;
        _exit(5);
    }
    ASSERT_EQ(changed, 2);
    ASSERT_EQ(finish(child), 5);
    return NULL;
}

int main(void)
{
    pthread_t threads[5];
    for (intptr_t i = 0; i < 5; i++) threads[i] = spawn(body, (void *)i);
    for (int i = 0; i < 5; i++) join(threads[i]);
    body((void *)7);
    return 0;
}
