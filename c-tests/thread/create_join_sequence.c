// 20,000 threads one after the other: no id, stack or mapping is lost, so memory stays where it was.
#include "coop-test.h"

static long resident_kib(void)
{
    char line[256];
    long kib = -1;
    FILE *status = fopen("/proc/self/status", "r");
    ASSERT(status != NULL);
    while (fgets(line, sizeof line, status)) sscanf(line, "VmRSS: %ld kB", &kib);
    fclose(status);
    ASSERT_GT(kib, 0);
    return kib;
}

static void *body(void *argument)
{
    volatile char used[8192];
    used[0] = used[8191] = 1;
    return argument;
}

static void run(int count)
{
    for (intptr_t i = 0; i < count; i++) ASSERT_EQ((intptr_t)join(spawn(body, (void *)i)), i);
}

int main(void)
{
    run(1000);
    long before = resident_kib();
    run(20000);
    ASSERT_LT(resident_kib() - before, 16 << 10);
    return 0;
}
