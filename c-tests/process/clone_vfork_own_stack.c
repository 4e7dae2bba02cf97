// clone with CLONE_VM and CLONE_VFORK on a stack of the child's own: it runs there, shares memory, and its parent waits.
#include "coop-test.h"

static char stack[64 << 10] __attribute__((aligned(16)));
static volatile int shared;
static volatile char *ran_at;

static int child_body(void *argument)
{
    char here;
    ran_at = &here;
    shared = (int)(intptr_t)argument;
    sleep_ms(20);
    shared++;
    return 7;
}

static void *parent(void *unused)
{
    (void)unused;
    pid_t child = SYS(clone(child_body, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)41));
    ASSERT_EQ(shared, 42);
    ASSERT(ran_at > stack && ran_at < stack + sizeof stack);
    ASSERT_EQ(finish(child), 7);
    return NULL;
}

int main(void)
{
    join(spawn(parent, NULL));
    parent(NULL);
    return 0;
}
