// getrusage(RUSAGE_THREAD) tells the thread's CPU time: its two parts never go backwards, and are together what its clock shows.
#include "cpu.h"

static int64_t us(struct timeval time)
{
    return time.tv_sec * 1000000LL + time.tv_usec;
}

static struct rusage usage(void)
{
    struct rusage usage;
    SYS(getrusage(RUSAGE_THREAD, &usage));
    return usage;
}

static void *computes(void *unused)
{
    (void)unused;
    struct rusage last = usage();
    ASSERT_LT(us(last.ru_utime) + us(last.ru_stime), 10000);
    ASSERT_GT(last.ru_maxrss, 0);
    for (int i = 0; i < 20; i++) {
        int64_t before = my_cpu() / 1000;
        struct rusage now = usage();
        int64_t after = my_cpu() / 1000, told = us(now.ru_utime) + us(now.ru_stime);
        // Natively what it tells is as old as the last tick or so.
        ASSERT_GE(told, before - 20000);
        ASSERT_LE(told, after + 1);
        ASSERT_GE(us(now.ru_utime), us(last.ru_utime));
        ASSERT_GE(us(now.ru_stime), us(last.ru_stime));
        ASSERT_GE(now.ru_minflt, last.ru_minflt);
        ASSERT_GE(now.ru_nvcsw, last.ru_nvcsw);
        last = now;
        compute_ms(3);
        if (i % 3 == 0) sleep_ms(1);
    }
    return NULL;
}

int main(void)
{
    compute_ms(20);
    struct rusage before = usage();
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(computes, NULL);
    struct rusage after = usage();
    ASSERT_GE(us(after.ru_utime), us(before.ru_utime));
    ASSERT_GE(us(after.ru_stime), us(before.ru_stime));
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
