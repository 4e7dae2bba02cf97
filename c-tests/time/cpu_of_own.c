// A thread's CPU clock counts while the thread computes, and not while it sleeps and others compute.
#include "cpu.h"

static atomic_int done;
static int64_t shown[4];

static void *computes(void *argument)
{
    int64_t before = my_cpu();
    compute_ms(50);
    ASSERT_GE(my_cpu() - before, 50 * NS_PER_MS);
    shown[(intptr_t)argument] = my_cpu();
    done++;
    return NULL;
}

static void *sleeps(void *argument)
{
    while (done < 3) sleep_ms(5);
    ASSERT_LT(my_cpu(), 20 * NS_PER_MS);
    shown[(intptr_t)argument] = my_cpu();
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 3; i++) threads[i] = spawn(computes, (void *)(intptr_t)i);
    threads[3] = spawn(sleeps, (void *)3);
    for (int i = 0; i < 4; i++) join(threads[i]);
    // Nothing is counted twice.
    int64_t all = my_cpu();
    for (int i = 0; i < 4; i++) all += shown[i];
    ASSERT_LE(all, now_ns(CLOCK_PROCESS_CPUTIME_ID));
    return 0;
}
