// 1,000 threads wait in semop for what a thread after them gives, while other calls that may wait (flock, fsync) go on.
// timeout: 60
#include "semaphores.h"
#include <sys/file.h>

enum { THREADS = 1000 };
static int through;

static void *waiter(void *unused)
{
    SYS(change(0, -1, 0));
    __atomic_fetch_add(&through, 1, __ATOMIC_RELAXED);
    // Hands on what it has got; the last one's stays.
    SYS(change(0, 1, 0));
    return unused;
}

int main(void)
{
    static pthread_t threads[THREADS];
    new_set(1);
    for (int i = 0; i < THREADS; i++) threads[i] = spawn_small(waiter, NULL);
    UNTIL(semctl(set, 0, GETNCNT) == THREADS);
    FILE *file = tmpfile();
    SYS(fsync(fileno(file)));
    SYS(flock(fileno(file), LOCK_EX));
    ASSERT_EQ(through, 0);
    SYS(change(0, 1, 0));
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    ASSERT_EQ(through, THREADS);
    ASSERT_EQ(semctl(set, 0, GETVAL), 1);
    return 0;
}
