// For the tests of credentials: what every OS thread of the process has.
#include "coop-test.h"
#include <dirent.h>
#include <grp.h>
#include <sys/fsuid.h>

enum { NOBODY = 65534 };

static inline void need_root(void)
{
    if (geteuid() != 0) SKIP("needs root");
}

// Looks for an OS thread whose status has no line "name: value value value value"; 0 if there is none.
static inline int thread_without(const char *name, unsigned value)
{
    char path[300], text[4096], wanted[100];
    int without = 0;
    snprintf(wanted, sizeof wanted, "\n%s:\t%u\t%u\t%u\t%u\n", name, value, value, value, value);
    DIR *tasks = opendir("/proc/self/task");
    ASSERT(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
        int fd = open(path, O_RDONLY);
        if (fd == -1 && errno == ENOENT) continue;
        ASSERT_NE(fd, -1);
        ssize_t size = read(fd, text, sizeof text - 1);
        SYS(close(fd));
        if (size == -1 && errno == ESRCH) continue;
        ASSERT_GT(size, 0);
        text[size] = 0;
        if (strstr(text, wanted) == NULL) without = atoi(entry->d_name);
    }
    SYS(closedir(tasks));
    return without;
}

// Asserts that each OS thread has it. A thread that is just ending makes no call any more and may have its old value, natively too.
static inline void all_threads_have(const char *name, unsigned value)
{
    int64_t start = now_ns(CLOCK_MONOTONIC);
    for (int without; (without = thread_without(name, value)) != 0; sleep_ms(1))
        if (ms_since(start) > 5000) FAIL("OS thread %d has not %s %u", without, name, value);
}
