// The GS base, which a program can set without a call where the CPU and the kernel let it, is each thread's own: over waits, over time shared with others
// who compute, in calls of its own processes, and a new thread or process begins with its maker's.
#include "coop-test.h"
#include <immintrin.h>
#include <sys/auxv.h>

#define CAN_SET_GS __attribute__((target("fsgsbase")))

enum { THREADS = 6 };
static pthread_barrier_t all;

CAN_SET_GS static void set(uint64_t base)
{
    _writegsbase_u64(base);
}

CAN_SET_GS static uint64_t get(void)
{
    return _readgsbase_u64();
}

static int child(int (*fork_it)(void), uint64_t base)
{
    pid_t pid = SYS(fork_it());
    if (pid == 0) _exit(get() == base ? 7 : 1);
    return finish(pid);
}

static int by_vfork_clone(void)
{
    return syscall(SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL);
}

static int by_fork(void)
{
    return fork();
}

static void *inherits(void *base)
{
    ASSERT_EQ(get(), (uint64_t)base);
    set(99);
    return NULL;
}

static void *keeps(void *number)
{
    uint64_t base = 0x10000000 * ((uint64_t)number + 1);
    set(base);
    pthread_barrier_wait(&all);
    for (int i = 0; i < 20; i++) {
        sleep_ms(1);
        ASSERT_EQ(get(), base);
        sched_yield();
        ASSERT_EQ(get(), base);
    }
    long end = now_ns(CLOCK_MONOTONIC) + 100 * NS_PER_MS;
    while (now_ns(CLOCK_MONOTONIC) < end)
        for (int i = 0; i < 1000; i++) ASSERT_EQ(get(), base);
    join(spawn(inherits, (void *)base));
    ASSERT_EQ(get(), base);
    ASSERT_EQ(child(by_fork, base), 7);
    ASSERT_EQ(child(by_vfork_clone, base), 7);
    ASSERT_EQ(get(), base);
    // A vfork child has it, too, and its parent has it again.
    pid_t pid = vfork();
    if (pid == 0) _exit(get() == base ? 7 : 1);
    ASSERT_EQ(finish(SYS(pid)), 7);
    ASSERT_EQ(get(), base);
    return NULL;
}

int main(void)
{
    if (!(getauxval(AT_HWCAP2) & 2)) SKIP("the GS base cannot be set without a call here");
    set(0x5000);
    OK(pthread_barrier_init(&all, NULL, THREADS));
    pthread_t threads[THREADS];
    for (long i = 0; i < THREADS; i++) threads[i] = spawn(keeps, (void *)i);
    ASSERT_EQ(get(), 0x5000);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(get(), 0x5000);
    join(spawn(inherits, (void *)0x5000));
    ASSERT_EQ(get(), 0x5000);
    return 0;
}
