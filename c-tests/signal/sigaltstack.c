// Each thread has an alternate stack of its own; a handler with SA_ONSTACK runs on it, others on the thread's stack.
#include "coop-test.h"

#define SIZE (64 << 10)

static __thread char *stack;
static __thread volatile int handled;

static int on_alternate(const void *local)
{
    return (const char *)local >= stack && (const char *)local < stack + SIZE;
}

static void handler(int number)
{
    char local;
    stack_t now;
    ASSERT_EQ(on_alternate(&local), number == SIGUSR1);
    SYS(sigaltstack(NULL, &now));
    ASSERT_EQ(now.ss_flags, number == SIGUSR1 ? SS_ONSTACK : 0);
    sched_yield();
    handled++;
}

static void *body(void *unused)
{
    (void)unused;
    char local;
    stack_t now;
    SYS(sigaltstack(NULL, &now));
    ASSERT_EQ(now.ss_flags, SS_DISABLE);
    stack = malloc(SIZE);
    stack_t mine = {.ss_sp = stack, .ss_size = SIZE};
    SYS(sigaltstack(&mine, NULL));
    for (int i = 0; i < 10; i++) {
        raise(SIGUSR1);
        raise(SIGUSR2);
        sched_yield();
    }
    ASSERT_EQ(handled, 20);
    ASSERT(!on_alternate(&local));
    SYS(sigaltstack(NULL, &now));
    ASSERT_PTR(now.ss_sp, stack);
    mine.ss_flags = SS_DISABLE;
    SYS(sigaltstack(&mine, NULL));
    free(stack);
    return NULL;
}

int main(void)
{
    on_signal(SIGUSR1, handler, SA_ONSTACK);
    on_signal(SIGUSR2, handler, 0);
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 5; i++) join(threads[i]);
    return 0;
}
