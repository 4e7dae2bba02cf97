// Waits on words in shared memory: a changed word, time-outs of both clocks, a signal, and memory that two mappings show.
#include "coop-test.h"

static uint32_t *here, *there;
static _Atomic int done;

static void handler(int number)
{
    (void)number;
}

static void *timed(void *unused)
{
    (void)unused;
    FAILS(futex(here, FUTEX_WAIT, 1, NULL, NULL, 0), EAGAIN);
    struct timespec relative = {.tv_nsec = 15 * NS_PER_MS};
    int64_t start = now_ns(CLOCK_MONOTONIC);
    FAILS(futex(here, FUTEX_WAIT, 0, &relative, NULL, 0), ETIMEDOUT);
    ASSERT_GE(ms_since(start), 15);
    struct timespec until = in_ms(CLOCK_REALTIME, 15);
    FAILS(futex(here, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL, ~0u), ETIMEDOUT);
    ASSERT_GE(now_ns(CLOCK_REALTIME), until.tv_sec * NS_PER_S + until.tv_nsec);
    return NULL;
}

static void *interrupted(void *unused)
{
    (void)unused;
    FAILS(futex(here, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
    done = 1;
    return NULL;
}

static void *waiter(void *unused)
{
    (void)unused;
    SYS(futex(there, FUTEX_WAIT, 0, NULL, NULL, 0));
    return NULL;
}

int main(void)
{
    int fd = SYS(memfd_create("words", 0));
    SYS(ftruncate(fd, 4096));
    here = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    there = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ASSERT(here != MAP_FAILED && there != MAP_FAILED && here != there);
    join(spawn(timed, NULL));
    on_signal(SIGUSR1, handler, 0);
    pthread_t thread = spawn(interrupted, NULL);
    while (!done) {
        pthread_kill(thread, SIGUSR1);
        sleep_ms(2);
    }
    join(thread);
    thread = spawn(waiter, NULL);
    while (SYS(futex(here, FUTEX_WAKE, 1, NULL, NULL, 0)) == 0) sleep_ms(1);
    join(thread);
    return 0;
}
