// Threads that hand turns over, and now and then work on their own, keep what is theirs wherever they run: rounding mode, id,
// thread-local storage, alternate signal stack.
// libs: -lm
#include "coop-test.h"
#include <fenv.h>

enum { PAIRS = 6, TURNS = 400 };

static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
static struct table {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    long turn;
} tables[PAIRS];
static __thread intptr_t mine;

static void work(long microseconds)
{
    int64_t end = now_ns(CLOCK_MONOTONIC) + microseconds * 1000;
    volatile double sum = 0;
    while (now_ns(CLOCK_MONOTONIC) < end)
        for (int i = 1; i < 200; i++) sum += 1.0 / i;
}

static void *player(void *argument)
{
    intptr_t number = (intptr_t)argument;
    struct table *table = &tables[number / 2];
    static char stacks[2 * PAIRS][16384];
    stack_t own = {.ss_sp = stacks[number], .ss_size = sizeof stacks[number]}, seen;
    pid_t id = gettid();
    ASSERT_EQ(fesetround(modes[number % 4]), 0);
    SYS(sigaltstack(&own, NULL));
    mine = number;

    for (int i = 0; i < TURNS; i++) {
        OK(pthread_mutex_lock(&table->lock));
        while (table->turn % 2 != number % 2) OK(pthread_cond_wait(&table->changed, &table->lock));
        table->turn++;
        OK(pthread_cond_signal(&table->changed));
        OK(pthread_mutex_unlock(&table->lock));
        if (i % 37 == number) work(300);
        if (i % 199 == number) work(12000);
        ASSERT_EQ(fegetround(), modes[number % 4]);
        ASSERT_EQ(mine, number);
        ASSERT_EQ(gettid(), id);
        SYS(sigaltstack(NULL, &seen));
        ASSERT_PTR(seen.ss_sp, stacks[number]);
    }
    own.ss_flags = SS_DISABLE;
    SYS(sigaltstack(&own, NULL));
    return NULL;
}

int main(void)
{
    pthread_t threads[2 * PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        OK(pthread_mutex_init(&tables[i].lock, NULL));
        OK(pthread_cond_init(&tables[i].changed, NULL));
    }
    for (intptr_t i = 0; i < 2 * PAIRS; i++) threads[i] = spawn(player, (void *)i);
    for (int i = 0; i < 2 * PAIRS; i++) join(threads[i]);
    for (int i = 0; i < PAIRS; i++) ASSERT_EQ(tables[i].turn, 2 * TURNS);
    return 0;
}
