// After mlockall(2) the stacks of new threads are locked and filled, what is not used is not, and memory that is given back and had again is zeroed.
#include "coop-test.h"
#include <sys/mman.h>
#include <sys/resource.h>

enum { PAGE = 4096, THREADS = 12, STACK = 16 << 20 };

// A figure of /proc/self/status, in KiB.
static long status(const char *name)
{
    char line[256];
    long value = -1;
    FILE *file = fopen("/proc/self/status", "r");
    ASSERT(file != NULL);
    while (value == -1 && fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0) value = atol(line + strlen(name) + 1);
    fclose(file);
    ASSERT_GE(value, 0);
    return value;
}

static void *fills(void *from)
{
    char bytes[64 << 10];
    memset(bytes, 0x5a, sizeof bytes);
    __asm__ volatile("" : : "r"(bytes) : "memory");
    return from;
}

// The low end of the thread's own stack has never been touched.
static void *looks(void *is_locked)
{
    pthread_attr_t attributes;
    void *stack;
    size_t size;
    unsigned char resident;
    OK(pthread_getattr_np(pthread_self(), &attributes));
    OK(pthread_attr_getstack(&attributes, &stack, &size));
    OK(pthread_attr_destroy(&attributes));
    SYS(mincore(stack, PAGE, &resident));
    ASSERT_EQ(resident & 1, is_locked != NULL);
    for (int i = 0; i < PAGE; i++) ASSERT_EQ(((char *)stack)[i], 0);
    return NULL;
}

// More threads than libc keeps stacks of: those are unmapped, and mapped again for the next.
static void threads(void *(*body)(void *), void *argument)
{
    pthread_t all[THREADS];
    pthread_attr_t attributes;
    OK(pthread_attr_init(&attributes));
    OK(pthread_attr_setstacksize(&attributes, STACK));
    for (int i = 0; i < THREADS; i++) OK(pthread_create(&all[i], &attributes, body, argument));
    for (int i = 0; i < THREADS; i++) join(all[i]);
    OK(pthread_attr_destroy(&attributes));
}

static int run(int has_threads_before)
{
    if (has_threads_before) threads(fills, NULL);
    long before = status("VmRSS:");
    SYS(mlockall(MCL_CURRENT | MCL_FUTURE));
    if (!has_threads_before) before = status("VmRSS:");
    for (int i = 0; i < 3; i++) {
        threads(fills, NULL);
        threads(looks, "");
    }
    // All stacks at once, and what libc keeps of them; far from what is reserved.
    ASSERT_LT(status("VmRSS:"), before + THREADS * (STACK >> 10) + (128 << 10));
    SYS(munlockall());
    pthread_t thread = spawn_small(looks, NULL);
    join(thread);
    return 0;
}

int main(void)
{
    struct rlimit limit;
    SYS(getrlimit(RLIMIT_MEMLOCK, &limit));
    if (limit.rlim_cur != RLIM_INFINITY && geteuid() != 0) SKIP("memory cannot be locked here");
    for (int has_threads = 0; has_threads < 2; has_threads++) {
        pid_t pid = SYS(fork());
        if (pid == 0) _exit(run(has_threads));
        ASSERT_EQ(finish(pid), 0);
    }
    return 0;
}
