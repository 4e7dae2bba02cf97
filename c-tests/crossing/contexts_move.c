// A context that one thread left is gone on with by another: the stack moves, the thread's own things stay with the thread.
#include "coop-test.h"
#include <ucontext.h>

enum { SIZE = 64 << 10, STEPS = 40 };

static ucontext_t coroutine;
static __thread ucontext_t home;
static __thread int own;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int steps, seen[2], finished;

// Not inlined, and asked anew each time: the thread may be another one after a switch.
__attribute__((noinline)) static ucontext_t *my_home(void)
{
    __asm__ volatile("");
    return &home;
}

__attribute__((noinline)) static int *my_own(void)
{
    __asm__ volatile("");
    return &own;
}

static void visit(void)
{
    while (steps < STEPS) {
        int local = steps;
        sleep_ms(1);
        seen[*my_own()]++;
        SYS(swapcontext(&coroutine, my_home()));
        ASSERT_EQ(local, steps);
        steps++;
    }
    finished = 1;
    for (;;) SYS(swapcontext(&coroutine, my_home()));
}

static void *body(void *number)
{
    own = (int)(intptr_t)number;
    for (int done = 0; !done;) {
        OK(pthread_mutex_lock(&turn));
        done = finished;
        if (!done) SYS(swapcontext(my_home(), &coroutine));
        ASSERT_EQ(*my_own(), (intptr_t)number);
        OK(pthread_mutex_unlock(&turn));
        sleep_ms(1);
    }
    return NULL;
}

int main(void)
{
    static char stack[SIZE];
    SYS(getcontext(&coroutine));
    coroutine.uc_stack.ss_sp = stack;
    coroutine.uc_stack.ss_size = sizeof stack;
    makecontext(&coroutine, visit, 0);
    pthread_t one = spawn(body, (void *)0), two = spawn(body, (void *)1);
    join(one);
    join(two);
    ASSERT_EQ(steps, STEPS);
    ASSERT_EQ(seen[0] + seen[1], STEPS);
    return 0;
}
