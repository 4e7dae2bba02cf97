// While a handler runs its own signal and those of sa_mask wait; SA_NODEFER lets it nest; SA_RESETHAND is for once.
#include "coop-test.h"

static __thread volatile int depth, deepest, count;

static void handler(int number)
{
    depth++;
    count++;
    if (depth > deepest) deepest = depth;
    if (count <= 3) {
        raise(SIGUSR1);
        raise(SIGUSR2);
    }
    (void)number;
    depth--;
}

static void set(int number, int flags, int also_blocked)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = flags;
    if (also_blocked) sigaddset(&action.sa_mask, also_blocked);
    SYS(sigaction(number, &action, NULL));
}

static void *one_by_one(void *unused)
{
    (void)unused;
    raise(SIGUSR1);
    ASSERT_EQ(deepest, 1);
    ASSERT_GT(count, 3);
    return NULL;
}

static void *nested(void *unused)
{
    (void)unused;
    raise(SIGUSR1);
    ASSERT_EQ(deepest, 4);
    return NULL;
}

int main(void)
{
    struct sigaction now;
    set(SIGUSR1, 0, SIGUSR2);
    set(SIGUSR2, 0, SIGUSR1);
    join(spawn(one_by_one, NULL));
    set(SIGUSR1, SA_NODEFER, 0);
    set(SIGUSR2, SA_NODEFER, 0);
    join(spawn(nested, NULL));
    set(SIGUSR1, (int)SA_RESETHAND, 0);
    count = 3;
    raise(SIGUSR1);
    ASSERT_EQ(count, 4);
    SYS(sigaction(SIGUSR1, NULL, &now));
    ASSERT(now.sa_handler == SIG_DFL);
    return 0;
}
