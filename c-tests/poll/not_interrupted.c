// poll and select with no time to wait are not interrupted while no signal comes, however often threads that compute have to make room for each other.
// env: COOP_SLICE=1
#include "coop-test.h"
#include <sys/select.h>

enum { THREADS = 4, MS = 1500 };
static int ends[2];

static void *looks(void *unused)
{
    int64_t start = now_ns(CLOCK_MONOTONIC);
    struct pollfd many[64];
    for (int i = 0; i < 64; i++) many[i] = (struct pollfd){ends[0], POLLIN, 0};
    while (ms_since(start) < MS) {
        for (volatile int i = 0; i < 300; i++) {}
        ASSERT_EQ(SYS(poll(many, 64, 0)), 0);
        struct timeval none = {0, 0};
        fd_set set;
        FD_ZERO(&set);
        FD_SET(ends[0], &set);
        ASSERT_EQ(SYS(select(ends[0] + 1, &set, NULL, NULL, &none)), 0);
    }
    return unused;
}

int main(void)
{
    pthread_t threads[THREADS];
    SYS(pipe(ends));
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(looks, NULL);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
