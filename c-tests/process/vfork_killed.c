// A vfork child that a signal kills gives its parent back, with the status.
#include "coop-test.h"

static volatile pid_t id;

static void *parent(void *unused)
{
    (void)unused;
    pid_t child = vfork();
    if (child == 0) {
        id = getpid();
        for (;;) pause();
    }
    ASSERT_EQ(child, id);
    ASSERT_EQ(finish(child), 128 + SIGKILL);
    return NULL;
}

int main(void)
{
    pthread_t thread = spawn(parent, NULL);
    UNTIL(id != 0);
    SYS(kill(id, SIGKILL));
    join(thread);
    return 0;
}
