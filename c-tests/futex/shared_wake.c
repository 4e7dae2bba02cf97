// FUTEX_WAKE and FUTEX_CMP_REQUEUE on shared words count and move waiters of all processes; private waits on them are apart.
#include "coop-test.h"

enum { EACH = 3 };

static uint32_t *words;

static void *waiter(void *unused)
{
    (void)unused;
    SYS(futex(&words[0], FUTEX_WAIT, 0, NULL, NULL, 0));
    __atomic_fetch_add(&words[2], 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *private_waiter(void *unused)
{
    (void)unused;
    SYS(futex(&words[0], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
    return NULL;
}

int main(void)
{
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(words != MAP_FAILED);
    pid_t child = SYS(fork());
    pthread_t threads[EACH];
    for (int i = 0; i < EACH; i++) threads[i] = spawn(waiter, NULL);
    if (child == 0) {
        for (int i = 0; i < EACH; i++) join(threads[i]);
        _exit(0);
    }
    pthread_t apart = spawn(private_waiter, NULL);
    FAILS(futex(&words[0], FUTEX_CMP_REQUEUE, 0, (void *)100, &words[1], 9), EAGAIN);
    long moved = 0;
    while (moved < 2 * EACH) {
        moved += SYS(futex(&words[0], FUTEX_CMP_REQUEUE, 0, (void *)100, &words[1], 0));
        sleep_ms(1);
    }
    ASSERT_EQ(moved, 2 * EACH);
    ASSERT_EQ(SYS(futex(&words[0], FUTEX_WAKE, 100, NULL, NULL, 0)), 0);
    ASSERT_EQ(SYS(futex(&words[1], FUTEX_WAKE, 1, NULL, NULL, 0)), 1);
    ASSERT_EQ(SYS(futex(&words[1], FUTEX_WAKE, 100, NULL, NULL, 0)), 2 * EACH - 1);
    for (int i = 0; i < EACH; i++) join(threads[i]);
    ASSERT_EQ(finish(child), 0);
    ASSERT_EQ(words[2], 2 * EACH);
    while (futex(&words[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0) == 0) sleep_ms(1);
    join(apart);
    return 0;
}
