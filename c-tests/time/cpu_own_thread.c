// A thread that has set what the kernel keeps for each thread (and has an OS thread of its own, preloaded) keeps its CPU clock.
#include "cpu.h"
#include <sys/prctl.h>

static atomic_int seen, done;

static void *child(void *unused)
{
    (void)unused;
    ASSERT_LT(my_cpu(), 10 * NS_PER_MS);
    while (!seen) work();
    return NULL;
}

static void *sets(void *unused)
{
    (void)unused;
    compute_ms(10);
    int64_t before = my_cpu();
    SYS(prctl(PR_SET_TIMERSLACK, 12345, 0, 0, 0));
    ASSERT_GE(my_cpu(), before);
    compute_ms(10);
    ASSERT_GE(my_cpu(), before + 10 * NS_PER_MS);
    pthread_t thread = spawn(child, NULL);
    clockid_t clock = clock_of(thread);
    UNTIL(now_ns(clock) > 10 * NS_PER_MS);
    seen = 1;
    join(thread);
    struct timespec time;
    UNTIL(clock_gettime(clock, &time) == -1);
    ASSERT_EQ(errno, EINVAL);
    int64_t asleep = my_cpu();
    sleep_ms(20);
    ASSERT_LT(my_cpu(), asleep + 10 * NS_PER_MS);
    done = 1;
    pause_for_ever(NULL);
    return NULL;
}

int main(void)
{
    pthread_t thread = spawn(sets, NULL);
    while (!done) sleep_ms(1);
    let_others_block();
    int64_t used = now_ns(clock_of(thread));
    ASSERT_GE(used, 20 * NS_PER_MS);
    ASSERT_EQ(now_ns(clock_of(thread)), used);
    ASSERT_LE(used + my_cpu(), now_ns(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}
