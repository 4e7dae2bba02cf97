// A forked child is one thread: the others' memory is there, they are not, and what they would do never happens.
#include "coop-test.h"
#include <dirent.h>

enum { THREADS = 200 };
static int shared[2];
static __thread int mine = 5;
static int *theirs[THREADS];

static void *waits(void *argument)
{
    char byte;
    int i = (int)(intptr_t)argument;
    mine = 100 + i;
    theirs[i] = &mine;
    if (read(shared[0], &byte, 1) == 1) FAIL("read");
    return NULL;
}

int main(void)
{
    pthread_t threads[THREADS];
    SYS(pipe(shared));
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn_small(waits, (void *)i);
    for (int i = 0; i < THREADS; i++) UNTIL(((int *volatile *)theirs)[i] != NULL);
    pid_t child = SYS(fork());
    if (child == 0) {
        int count = 0;
        for (int i = 0; i < THREADS; i++) ASSERT_EQ(*theirs[i], 100 + i);
        ASSERT_EQ(mine, 5);
        DIR *tasks = opendir("/proc/self/task");
        for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) count += entry->d_name[0] != '.';
        ASSERT_EQ(count, 1);
        SYS(close(shared[1]));
        _exit(0);
    }
    ASSERT_EQ(finish(child), 0);
    SYS(close(shared[1]));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    return 0;
}
