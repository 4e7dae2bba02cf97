// The memory of 5,000 threads that lived at once is given back when they have gone, and serves the next 5,000.
#include "coop-test.h"

#define THREADS 5000

static sem_t arrived, go;

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
    volatile char used[32 << 10];
    for (size_t i = 0; i < sizeof used; i += 1024) used[i] = 1;
    SYS(sem_post(&arrived));
    SYS(sem_wait(&go));
    return argument;
}

static void crowd(void)
{
    static pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(body, NULL);
    for (int i = 0; i < THREADS; i++) SYS(sem_wait(&arrived));
    for (int i = 0; i < THREADS; i++) SYS(sem_post(&go));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
}

int main(void)
{
    SYS(sem_init(&arrived, 0, 0));
    SYS(sem_init(&go, 0, 0));
    long before = resident_kib();
    crowd();
    long after_one = resident_kib();
    // Alive they held over 160 MiB; libc and the library may keep a cache of some.
    ASSERT_LT(after_one - before, 64 << 10);
    crowd();
    crowd();
    ASSERT_LT(resident_kib() - after_one, 16 << 10);
    return 0;
}
