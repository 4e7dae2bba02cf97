// getrandom from many threads: whole up to 256 bytes and beyond, different each time, and its errors.
#include "coop-test.h"
#include <sys/random.h>

enum { THREADS = 50, LARGE = 1 << 20 };
static unsigned char small[THREADS][32];

static void *asker(void *number)
{
    ASSERT_EQ(getrandom(small[(long)number], 32, 0), 32);
    unsigned char some[256];
    for (int i = 0; i < 100; i++) ASSERT_EQ(getrandom(some, 256, i % 2 ? GRND_NONBLOCK : GRND_RANDOM), 256);
    if ((long)number % 10 == 0) {
        char *large = calloc(1, LARGE);
        ASSERT_EQ(getrandom(large, LARGE, 0), LARGE);
        ASSERT(memcmp(large, large + LARGE / 2, 4096) != 0);
        free(large);
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) threads[i] = spawn(asker, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    for (int i = 0; i < THREADS; i++)
        for (int k = 0; k < i; k++) ASSERT(memcmp(small[i], small[k], 32) != 0);
    FAILS(getrandom(small, 1, 0x100), EINVAL);
    FAILS(syscall(SYS_getrandom, 1, 32, 0), EFAULT);
    return 0;
}
