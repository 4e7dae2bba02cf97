// Threads that a rush of waiting calls has started end when they have been idle for a while.
// only: preloaded
#include "coop-test.h"
#include <dirent.h>
#include <sys/file.h>

#define WAITERS 60

static _Atomic int held;

static int os_threads(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    ASSERT(tasks != NULL);
    for (struct dirent *entry; (entry = readdir(tasks));) count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static void *waiter(void *unused)
{
    (void)unused;
    int fd = SYS(open("lock", O_RDWR));
    SYS(flock(fd, LOCK_SH));
    held++;
    SYS(close(fd));
    return NULL;
}

int main(void)
{
    pthread_t threads[WAITERS];
    int fd = SYS(open("lock", O_RDWR | O_CREAT, 0600));
    SYS(flock(fd, LOCK_EX));
    for (int i = 0; i < WAITERS; i++) threads[i] = spawn_small(waiter, NULL);
    UNTIL(os_threads() > WAITERS);
    ASSERT_EQ(held, 0);
    SYS(flock(fd, LOCK_UN));
    for (int i = 0; i < WAITERS; i++) join(threads[i]);
    ASSERT_EQ(held, WAITERS);
    UNTIL(os_threads() < 20);
    // And they come again.
    SYS(fsync(fd));
    return 0;
}
