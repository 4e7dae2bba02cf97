// Files that are in memory or made up by the kernel read as ever, from many threads.
#include "coop-test.h"

static void *reader(void *unused)
{
    (void)unused;
    char text[4096];
    for (int i = 0; i < 20; i++) {
        int fd = SYS(open("/proc/self/status", O_RDONLY));
        size_t got = read_all(fd, text, sizeof text - 1);
        text[got] = 0;
        ASSERT(strstr(text, "VmRSS") != NULL);
        ASSERT_EQ(SYS(read(fd, text, 1)), 0);
        SYS(close(fd));
        fd = SYS(memfd_create("memory", 0));
        ASSERT_EQ(SYS(write(fd, "some bytes", 10)), 10);
        ASSERT_EQ(SYS(pread(fd, text, 100, 5)), 5);
        ASSERT_MEM(text, "bytes", 5);
        ASSERT_EQ(SYS(read(fd, text, 100)), 0);
        SYS(lseek(fd, 0, SEEK_SET));
        ASSERT_EQ(SYS(read(fd, text, 100)), 10);
        SYS(close(fd));
        fd = SYS(open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY));
        got = read_all(fd, text, sizeof text - 1);
        text[got] = 0;
        ASSERT(strstr(text, "[") != NULL);
        SYS(close(fd));
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[20];
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) == -1) SKIP("no /sys here");
    for (int i = 0; i < 20; i++) threads[i] = spawn(reader, NULL);
    for (int i = 0; i < 20; i++) join(threads[i]);
    return 0;
}
