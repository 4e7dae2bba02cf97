// Thousands of threads get something of their own, wait for descriptors, and end: nothing of them stays.
// timeout: 60
#include "own.h"

static int pipes[2];

static int entries(const char *path)
{
    int count = 0;
    DIR *list = opendir(path);
    ASSERT(list != NULL);
    while (readdir(list) != NULL) count++;
    closedir(list);
    return count;
}

static long mapped(void)
{
    long pages;
    FILE *file = fopen("/proc/self/statm", "r");
    ASSERT(file != NULL && fscanf(file, "%ld", &pages) == 1);
    fclose(file);
    return pages * 4 / 1024;
}

static void *lives(void *argument)
{
    SYS(prctl(PR_SET_TIMERSLACK, 77777, 0, 0, 0));
    char byte;
    ASSERT_EQ(read(pipes[0], &byte, 1), 1);
    return argument;
}

static void many(int count)
{
    enum { AT_ONCE = 20 };
    pthread_t threads[AT_ONCE];
    for (int i = 0; i < count; i += AT_ONCE) {
        for (int j = 0; j < AT_ONCE; j++) threads[j] = spawn_small(lives, NULL);
        for (int j = 0; j < AT_ONCE; j++) write_all(pipes[1], "x", 1);
        for (int j = 0; j < AT_ONCE; j++) join(threads[j]);
    }
}

int main(void)
{
    SYS(pipe(pipes));
    many(100);
    int descriptors = entries("/proc/self/fd"), threads = entries("/proc/self/task");
    long before = mapped();
    many(3000);
    // A thread that is joined is not gone yet from the kernel's list; and the library may read that list on a few threads of its pool.
    UNTIL(entries("/proc/self/task") <= threads + 4);
    UNTIL(entries("/proc/self/fd") <= descriptors);
    ASSERT_LT(mapped(), before + 64);
    return 0;
}
