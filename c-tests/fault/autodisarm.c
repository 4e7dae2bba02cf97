// SS_AUTODISARM: while a handler runs on the alternate stack the thread has none, and afterwards it has it again.
#include "coop-test.h"

#define ALT (64 << 10)
#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1u << 31)
#endif

static __thread char *stack;
static _Atomic int handled;

static void handler(int number)
{
    stack_t now;
    char here;
    (void)number;
    ASSERT(&here > stack && &here < stack + ALT * 3);
    SYS(sigaltstack(NULL, &now));
    ASSERT_EQ(now.ss_flags, SS_DISABLE);
    // So another one may be set, which is gone again when the handler returns.
    char other[ALT];
    stack_t second = {.ss_sp = other, .ss_size = ALT};
    SYS(sigaltstack(&second, NULL));
    handled++;
}

static void *body(void *unused)
{
    stack = malloc(ALT * 3);
    stack_t mine = {.ss_sp = stack, .ss_size = ALT * 3, .ss_flags = SS_AUTODISARM}, now;
    SYS(sigaltstack(&mine, NULL));
    for (int i = 0; i < 3; i++) {
        raise(SIGUSR1);
        SYS(sigaltstack(NULL, &now));
        ASSERT_PTR(now.ss_sp, stack);
        ASSERT_EQ(now.ss_size, ALT * 3);
        ASSERT_EQ((unsigned)now.ss_flags, SS_AUTODISARM);
    }
    mine.ss_flags = SS_DISABLE;
    SYS(sigaltstack(&mine, NULL));
    free(stack);
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_ONSTACK);
    join(spawn(body, NULL));
    ASSERT_EQ(handled, 3);
    return 0;
}
