// system() from several threads at once gives each its command's status, and lets others run meanwhile.
#include "coop-test.h"

static _Atomic int slept;

static void *run(void *argument)
{
    char command[64];
    snprintf(command, sizeof command, "sleep 0.05; exit %d", (int)(intptr_t)argument);
    int status = SYS(system(command));
    ASSERT(WIFEXITED(status));
    ASSERT_EQ(WEXITSTATUS(status), (intptr_t)argument);
    return NULL;
}

static void *sleeper(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++) {
        sleep_ms(1);
        slept++;
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[5], other = spawn(sleeper, NULL);
    for (intptr_t i = 0; i < 5; i++) threads[i] = spawn(run, (void *)i);
    for (int i = 0; i < 5; i++) join(threads[i]);
    join(other);
    ASSERT_EQ(slept, 10);
    ASSERT_NE(system(NULL), 0);
    return 0;
}
