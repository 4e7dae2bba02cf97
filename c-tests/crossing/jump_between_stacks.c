// Coroutines as GNU Pth makes them: a handler on an alternate stack sets a jump there, and threads go to and fro by longjmp.
#include "coop-test.h"
#include <setjmp.h>

enum { SIZE = 64 << 10, STEPS = 20 };

struct coroutine {
    sigjmp_buf start, inside, outside;
    char *stack;
    int steps;
};

static __thread struct coroutine *mine;

static void trampoline(int number)
{
    (void)number;
    if (sigsetjmp(mine->start, 0) == 0) return;
    // Long after the handler returned: on its stack, as a coroutine.
    char local;
    ASSERT(&local > mine->stack && &local < mine->stack + SIZE);
    for (;;) {
        mine->steps++;
        sleep_ms(1);
        if (sigsetjmp(mine->inside, 0) == 0) siglongjmp(mine->outside, 1);
    }
}

static void make(struct coroutine *made)
{
    stack_t stack = {.ss_size = SIZE}, old;
    stack.ss_sp = made->stack = malloc(SIZE);
    ASSERT(stack.ss_sp);
    SYS(sigaltstack(&stack, &old));
    mine = made;
    OK(pthread_kill(pthread_self(), SIGUSR2));
    stack.ss_flags = SS_DISABLE;
    SYS(sigaltstack(&stack, NULL));
    SYS(sigaltstack(&old, NULL));
}

static void *body(void *unused)
{
    (void)unused;
    struct coroutine own = {.steps = 0};
    make(&own);
    for (volatile int i = 0; i < STEPS; i++) {
        if (sigsetjmp(own.outside, 0) == 0) {
            if (i == 0) siglongjmp(own.start, 1);
            siglongjmp(own.inside, 1);
        }
        ASSERT_EQ(own.steps, i + 1);
        sched_yield();
    }
    free(own.stack);
    return NULL;
}

int main(void)
{
    struct sigaction action = {.sa_handler = trampoline, .sa_flags = SA_ONSTACK};
    SYS(sigaction(SIGUSR2, &action, NULL));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
