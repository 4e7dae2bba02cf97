// The nice value is a thread's own: others keep theirs, new threads inherit it, and so do forked and spawned processes.
#include "coop-test.h"
#include <spawn.h>
#include <sys/resource.h>

static int mine(void)
{
    errno = 0;
    int nice_value = getpriority(PRIO_PROCESS, 0);
    ASSERT_EQ(errno, 0);
    return nice_value;
}

static void *child(void *wanted)
{
    ASSERT_EQ(mine(), (intptr_t)wanted);
    return NULL;
}

static void *kind(void *argument)
{
    int base = (int)(intptr_t)argument;
    SYS(setpriority(PRIO_PROCESS, 0, base + 3));
    ASSERT_EQ(mine(), base + 3);
    ASSERT_EQ(getpriority(PRIO_PROCESS, my_tid()), base + 3);
    errno = 0;
    ASSERT_EQ(nice(2), base + 5);
    join(spawn(child, (void *)(intptr_t)(base + 5)));
    pid_t pid = SYS(fork());
    if (pid == 0) _exit(mine() == base + 5 ? 0 : 1);
    ASSERT_EQ(finish(pid), 0);
    char command[128];
    snprintf(command, sizeof command, "test \"$(nice)\" = %d", base + 5);
    ASSERT_EQ(system(command), 0);
    return NULL;
}

static void *other(void *base)
{
    for (int i = 0; i < 20; i++) {
        ASSERT_EQ(mine(), (intptr_t)base);
        sleep_ms(1);
    }
    return NULL;
}

int main(void)
{
    void *base = (void *)(intptr_t)mine();
    pthread_t thread = spawn(other, base);
    join(spawn(kind, base));
    join(thread);
    ASSERT_EQ(mine(), (intptr_t)base);
    return 0;
}
