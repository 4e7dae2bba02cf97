// longjmp within a thread, over calls that waited; every thread has its own jump buffer and values.
#include "coop-test.h"
#include <setjmp.h>

struct state {
    jmp_buf home;
    int number;
};

__attribute__((noinline)) static void jump(struct state *state, int depth)
{
    sleep_ms(1);
    if (depth > 0) jump(state, depth - 1);
    if (state->number) longjmp(state->home, state->number);
}

static void *body(void *argument)
{
    struct state state = {.number = (int)(intptr_t)argument};
    volatile int jumps = 0;
    int got = setjmp(state.home);
    if (got) ASSERT_EQ(got, (intptr_t)argument);
    if (jumps++ < 5) jump(&state, 3);
    ASSERT_EQ(jumps, 6);
    return argument;
}

int main(void)
{
    pthread_t threads[20];
    for (intptr_t i = 0; i < 20; i++) threads[i] = spawn(body, (void *)(i + 1));
    for (intptr_t i = 0; i < 20; i++) ASSERT_EQ((intptr_t)join(threads[i]), i + 1);
    return 0;
}
