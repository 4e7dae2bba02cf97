// A child forked by a thread lets go of the stacks of threads that are not there: libc unmaps them, and the child goes on.
#include "coop-test.h"

static void *nothing(void *argument)
{
    return argument;
}

static void make_one_with_large_stack(void)
{
    pthread_t thread;
    pthread_attr_t attributes;
    OK(pthread_attr_init(&attributes));
    // Larger than what libc keeps of unused stacks: it frees all of them.
    OK(pthread_attr_setstacksize(&attributes, 96 << 20));
    OK(pthread_create(&thread, &attributes, nothing, NULL));
    join(thread);
}

static void *forks(void *unused)
{
    (void)unused;
    for (int i = 0; i < 3; i++) {
        pid_t child = SYS(fork());
        if (child == 0) {
            for (int j = 0; j < 3; j++) make_one_with_large_stack();
            sleep_ms(20);
            make_one_with_large_stack();
            _exit(5);
        }
        ASSERT_EQ(finish(child), 5);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) threads[i] = spawn(pause_for_ever, NULL);
    join(spawn(forks, NULL));
    for (int i = 0; i < 6; i++) {
        OK(pthread_cancel(threads[i]));
        join(threads[i]);
    }
    return 0;
}
