// setuid by libc is made once on each thread: a second time it would have the right that the first has given, and change more.
#include "coop-test.h"

enum { THREADS = 5, NOBODY = 65534 };
static pthread_barrier_t barrier;

static void look(void)
{
    uid_t real, effective, saved;
    SYS(getresuid(&real, &effective, &saved));
    ASSERT_EQ(real, NOBODY);
    ASSERT_EQ(effective, 0);
    ASSERT_EQ(saved, 0);
}

static void *waits(void *unused)
{
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    look();
    return unused;
}

int main(void)
{
    if (geteuid() != 0) SKIP("needs root");
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS + 1);
    for (int i = 0; i < THREADS; i++) threads[i] = spawn(waits, NULL);
    pthread_barrier_wait(&barrier);
    SYS(setresuid(NOBODY, NOBODY, -1));
    SYS(setuid(0));
    look();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < THREADS; i++) join(threads[i]);
    look();
    return 0;
}
