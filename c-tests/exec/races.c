// Several threads that exec at the same time: one of them wins, and the process is that program.
#include "coop-test.h"

// No thread can be made while another is in exec.
static pthread_barrier_t all_made;

static void *execs(void *argument)
{
    char script[20];
    snprintf(script, sizeof script, "exit %d", (int)(intptr_t)argument);
    pthread_barrier_wait(&all_made);
    execl("/bin/sh", "sh", "-c", script, (char *)NULL);
    FAIL("exec came back");
}

int main(void)
{
    for (int round = 0; round < 5; round++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            OK(pthread_barrier_init(&all_made, NULL, 4));
            for (intptr_t i = 1; i <= 4; i++) spawn(execs, (void *)i);
            for (;;) pause();
        }
        int status = finish(child);
        ASSERT(status >= 1 && status <= 4);
    }
    return 0;
}
