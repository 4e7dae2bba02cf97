// A signal for a thread that waits for its vfork child is handled when the child is done, on that thread.
#include "coop-test.h"

static int feed[2];
static volatile int step;
static volatile pthread_t handled_by;

static void handler(int signal)
{
    (void)signal;
    ASSERT_EQ(step, 2);
    handled_by = pthread_self();
}

static void *parent(void *unused)
{
    (void)unused;
    pid_t child = vfork();
    if (child == 0) {
        char got;
        step = 1;
        _exit(read(feed[0], &got, 1) == 1 ? 3 : 4);
    }
    ASSERT_EQ(handled_by, pthread_self());
    ASSERT_EQ(finish(child), 3);
    return NULL;
}

int main(void)
{
    SYS(pipe(feed));
    on_signal(SIGUSR1, handler, 0);
    pthread_t thread = spawn(parent, NULL);
    UNTIL(step == 1);
    OK(pthread_kill(thread, SIGUSR1));
    let_others_block();
    ASSERT_EQ(handled_by, 0);
    step = 2;
    write_all(feed[1], "x", 1);
    join(thread);
    return 0;
}
