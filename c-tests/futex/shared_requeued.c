// Another process moves those who wait on a word in shared memory to a second one (FUTEX_CMP_REQUEUE): they are woken there, with their
// bits, time out there, and are gone from the first.
#include "coop-test.h"

enum { THREADS = 6 };
struct words {
    uint32_t from, to;
};
static struct words *words;

static void *waiter(void *argument)
{
    uint32_t bits = 1u << (intptr_t)argument;
    return (void *)SYS(futex(&words->from, FUTEX_WAIT_BITSET, 0, NULL, NULL, bits));
}

static void *timed(void *unused)
{
    (void)unused;
    struct timespec until = in_ms(CLOCK_MONOTONIC, 300);
    FAILS(futex(&words->from, FUTEX_WAIT_BITSET, 0, &until, NULL, ~0u), ETIMEDOUT);
    return NULL;
}

// How many wait on a word: moved to where they are.
static long waiting(uint32_t *word)
{
    return SYS(futex(word, FUTEX_REQUEUE, 0, (void *)(intptr_t)INT_MAX, word, 0));
}

static void other_process(void)
{
    UNTIL(waiting(&words->from) == THREADS);
    FAILS(futex(&words->from, FUTEX_CMP_REQUEUE, 1, (void *)100, &words->to, 1), EAGAIN);
    // One is woken, the others are moved.
    ASSERT_EQ(futex(&words->from, FUTEX_CMP_REQUEUE, 1, (void *)100, &words->to, 0), THREADS);
    ASSERT_EQ(waiting(&words->from), 0);
    ASSERT_EQ(waiting(&words->to), THREADS - 1);
    // By bits: all but the one that has been woken are there.
    int woken = 0;
    for (int i = 0; i < THREADS; i++)
        woken += SYS(futex(&words->to, FUTEX_WAKE_BITSET, 1, NULL, NULL, 1u << i));
    ASSERT_EQ(woken, THREADS - 1);
    _exit(0);
}

int main(void)
{
    words = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ASSERT(words != MAP_FAILED);
    pid_t child = SYS(fork());
    if (child == 0) other_process();
    pthread_t threads[THREADS];
    for (intptr_t i = 0; i < THREADS; i++) threads[i] = spawn(waiter, (void *)i);
    for (int i = 0; i < THREADS; i++) ASSERT_PTR(join(threads[i]), NULL);
    int status;
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT_EQ(status, 0);

    pthread_t thread = spawn(timed, NULL);
    child = SYS(fork());
    if (child == 0) {
        UNTIL(waiting(&words->from) == 1);
        ASSERT_EQ(futex(&words->from, FUTEX_REQUEUE, 0, (void *)1, &words->to, 0), 1);
        _exit(0);
    }
    join(thread);
    ASSERT_EQ(SYS(waitpid(child, &status, 0)), child);
    ASSERT_EQ(status, 0);
    ASSERT_EQ(waiting(&words->to), 0);
    return 0;
}
