// Threads that are preempted with libc's own locks held (malloc's, stdio's) get on, and the others wait for those locks meanwhile.
// env: COOP_SLICE=1
#include "coop-test.h"

enum { THREADS = 6 };

static FILE *file;

static void *body(void *argument)
{
    int64_t until = now_ns(CLOCK_MONOTONIC) + 60 * NS_PER_MS;
    unsigned seed = (unsigned)(uintptr_t)argument;
    void *kept[64] = {0};
    while (now_ns(CLOCK_MONOTONIC) < until) {
        for (int i = 0; i < 200; i++) {
            seed = seed * 1103515245 + 12345;
            void **slot = &kept[seed >> 16 & 63];
            free(*slot);
            *slot = malloc(16 + (seed >> 8 & 4095));
            ASSERT(*slot);
            memset(*slot, (int)seed, 16);
        }
        fprintf(file, "%08x %08x\n", seed, seed);
    }
    for (int i = 0; i < 64; i++) free(kept[i]);
    return NULL;
}

int main(void)
{
    file = tmpfile();
    ASSERT(file);
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) threads[i] = spawn(body, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    rewind(file);
    unsigned one, two;
    int lines = 0, fields;
    while ((fields = fscanf(file, "%8x %8x\n", &one, &two)) == 2) {
        ASSERT_EQ(one, two);
        lines++;
    }
    ASSERT_EQ(fields, EOF);
    ASSERT_GE(lines, THREADS);
    return 0;
}
