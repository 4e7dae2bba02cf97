// A forked child's CPU clocks begin anew, and are its own; so are those of the threads that it creates.
#include "cpu.h"

static void *computes(void *unused)
{
    (void)unused;
    ASSERT_LT(my_cpu(), 10 * NS_PER_MS);
    compute_ms(20);
    return NULL;
}

static void *forks(void *unused)
{
    (void)unused;
    compute_ms(100);
    pid_t child = SYS(fork());
    if (child == 0) {
        int64_t before = my_cpu();
        ASSERT_LT(before, 60 * NS_PER_MS);
        pthread_t thread = spawn(computes, NULL);
        ASSERT_GE(now_ns(clock_of(thread)), 0);
        ASSERT_GE(my_cpu(), before);
        join(thread);
        ASSERT_LE(my_cpu(), now_ns(CLOCK_PROCESS_CPUTIME_ID));
        exit(0);
    }
    ASSERT_GE(my_cpu(), 100 * NS_PER_MS);
    ASSERT_EQ(finish(child), 0);
    return NULL;
}

int main(void)
{
    pthread_t threads[2];
    for (int i = 0; i < 2; i++) threads[i] = spawn(forks, NULL);
    for (int i = 0; i < 2; i++) join(threads[i]);
    return 0;
}
