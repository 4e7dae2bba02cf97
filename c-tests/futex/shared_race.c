// Wake-ups of a word in shared memory, by another process, race with time-outs: what FUTEX_WAKE counts, the waits report. None is lost,
// and none is reported twice.
// timeout: 60
#include "coop-test.h"

enum { THREADS = 24, ROUNDS = 150 };

struct common {
    uint32_t word;
    _Atomic int stop;
    _Atomic long counted;
};

static struct common *common;
static _Atomic long reported;

static void *waiter(void *argument)
{
    unsigned seed = (unsigned)(intptr_t)argument;
    for (int i = 0; i < ROUNDS; i++) {
        struct timespec time = {.tv_nsec = 1000 * (50 + rand_r(&seed) % 900)};
        if (futex(&common->word, FUTEX_WAIT, 0, &time, NULL, 0) == 0)
            reported++;
        else
            ASSERT_EQ(errno, ETIMEDOUT);
    }
    return NULL;
}

int main(void)
{
    common = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(common != MAP_FAILED);
    pid_t child = SYS(fork());
    if (child == 0) {
        while (!common->stop) {
            common->counted += SYS(futex(&common->word, FUTEX_WAKE, 3, NULL, NULL, 0));
            struct timespec moment = {.tv_nsec = 100000};
            nanosleep(&moment, NULL);
        }
        _exit(0);
    }
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(waiter, (void *)i);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    common->stop = 1;
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT_EQ(status, 0);
    ASSERT_EQ(reported, common->counted);
    return 0;
}
