// makecontext and swapcontext in threads: a context runs on its own stack, waits there, and comes back.
#include "coop-test.h"
#include <ucontext.h>

#define SIZE (64 << 10)

static __thread ucontext_t home, away;
static __thread char *stack;
static __thread int steps;
static int ends[2];

static void visit(void)
{
    char local, byte;
    ASSERT(&local >= stack && &local < stack + SIZE);
    for (int i = 0; i < 5; i++) {
        sleep_ms(1);
        ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
        steps++;
        SYS(swapcontext(&away, &home));
    }
}

static void *body(void *unused)
{
    (void)unused;
    char local;
    stack = malloc(SIZE);
    SYS(getcontext(&away));
    away.uc_stack.ss_sp = stack;
    away.uc_stack.ss_size = SIZE;
    away.uc_link = &home;
    makecontext(&away, visit, 0);
    for (int i = 1; i <= 5; i++) {
        SYS(swapcontext(&home, &away));
        ASSERT_EQ(steps, i);
        ASSERT(&local < stack || &local >= stack + SIZE);
        sched_yield();
    }
    SYS(swapcontext(&home, &away));
    free(stack);
    return NULL;
}

int main(void)
{
    pthread_t threads[4];
    SYS(pipe(ends));
    for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 20; i++) {
        SYS(write(ends[1], "x", 1));
        sched_yield();
    }
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
