// Address space runs out under a program with many threads: calls fail with ENOMEM or EAGAIN, nothing hangs or aborts.
#include "coop-test.h"
#include <sys/resource.h>

static int ends[2];

static void *reader(void *unused)
{
    char byte;
    ssize_t n = read(ends[0], &byte, 1);
    if (n == -1) ASSERT_EQ(errno, ENOMEM);
    return unused;
}

static long address_space(void)
{
    long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    ASSERT(file != NULL && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

int main(void)
{
    enum { MOST = 3000 };
    static pthread_t threads[MOST];
    SYS(pipe(ends));
    threads[0] = spawn_small(reader, NULL);
    until_others_wait();
    struct rlimit limit = {address_space() + (8 << 20), RLIM_INFINITY};
    SYS(setrlimit(RLIMIT_AS, &limit));
    int count = 1;
    pthread_attr_t attributes;
    OK(pthread_attr_init(&attributes));
    OK(pthread_attr_setstacksize(&attributes, 64 << 10));
    while (count < MOST && pthread_create(&threads[count], &attributes, reader, NULL) == 0) count++;
    ASSERT_GT(count, 1);
    // A poll whose descriptors take more memory than there is.
    enum { MANY = 1000 };
    static struct pollfd list[MANY];
    for (int i = 0; i < MANY; i++) list[i] = (struct pollfd){ends[0], 0, 0};
    int found = poll(list, MANY, 1);
    ASSERT(found == 0 || (found == -1 && errno == ENOMEM));
    SYS(close(ends[1]));
    for (int i = 0; i < count; i++) join(threads[i]);
    return 0;
}
