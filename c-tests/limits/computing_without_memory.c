// Address space has run out under a program whose many threads compute: all of them get on, with signals and with handlers of faults.
// env: COOP_SLICE=1
// timeout: 90
#include "coop-test.h"
#include <setjmp.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { THREADS = 200 };

static pthread_t threads[THREADS];
static atomic_int begun, told, over;
static __thread sigjmp_buf back;

static void is_told(int number)
{
    (void)number;
    atomic_fetch_add(&told, 1);
}

static void faulted(int number)
{
    siglongjmp(back, number);
}

static void *computer(void *nowhere)
{
    atomic_fetch_add(&begun, 1);
    while (!atomic_load(&over)) {
    }
    if (sigsetjmp(back, 1) == 0) {
        *(volatile char *)nowhere = 1;
        FAIL("no fault");
    }
    return NULL;
}

int main(void)
{
    on_signal(SIGSEGV, faulted, 0);
    on_signal(SIGUSR1, is_told, 0);
    on_signal(SIGRTMIN, is_told, 0);
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(computer, NULL);
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_AS, &limit));
    limit.rlim_cur = 4096;
    SYS(setrlimit(RLIMIT_AS, &limit));
    UNTIL(begun == THREADS);
    int queued = 0;
    for (int i = 0; i < THREADS; i++) {
        OK(pthread_kill(threads[i], SIGUSR1));
        // There may be no memory for what a queued one tells.
        int error = pthread_kill(threads[i], SIGRTMIN);
        if (error != EAGAIN) OK(error);
        queued += error == 0;
    }
    UNTIL(told == THREADS + queued);
    atomic_store(&over, 1);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(told, THREADS + queued);
    return 0;
}
