// The time that a thread had used before anybody asked is known, too.
#include "cpu.h"

static atomic_int stop;

static void *computes(void *unused)
{
    (void)unused;
    while (!stop) work();
    return NULL;
}

int main(void)
{
    pthread_t thread = spawn(computes, NULL);
    int64_t until = now_ns(CLOCK_PROCESS_CPUTIME_ID) + 200 * NS_PER_MS;
    while (now_ns(CLOCK_PROCESS_CPUTIME_ID) < until) sleep_ms(10);
    int64_t used = now_ns(clock_of(thread));
    ASSERT_GE(used, 100 * NS_PER_MS);
    ASSERT_LE(used + my_cpu(), now_ns(CLOCK_PROCESS_CPUTIME_ID));
    stop = 1;
    join(thread);
    return 0;
}
