// A handler with SA_ONSTACK interrupts a waiting call on the thread's alternate stack, may wait there itself, and the call goes on.
#include "coop-test.h"

#define SIZE (64 << 10)

static __thread char *stack;
static _Atomic int handled;
static int ends[2];

static void handler(int number)
{
    (void)number;
    char local;
    ASSERT(&local >= stack && &local < stack + SIZE);
    sleep_ms(5);
    handled++;
}

static void *body(void *unused)
{
    (void)unused;
    char byte;
    stack = malloc(SIZE);
    stack_t mine = {.ss_sp = stack, .ss_size = SIZE};
    sigset_t set = signal_set(SIGUSR1);
    SYS(sigaltstack(&mine, NULL));
    OK(pthread_sigmask(SIG_UNBLOCK, &set, NULL));
    ASSERT_EQ(SYS(read(ends[0], &byte, 1)), 1);
    mine.ss_flags = SS_DISABLE;
    SYS(sigaltstack(&mine, NULL));
    free(stack);
    return NULL;
}

int main(void)
{
    sigset_t set = signal_set(SIGUSR1);
    SYS(pipe(ends));
    on_signal(SIGUSR1, handler, SA_ONSTACK | SA_RESTART);
    // Blocked until a thread has its alternate stack.
    OK(pthread_sigmask(SIG_BLOCK, &set, NULL));
    pthread_t one = spawn(body, NULL), two = spawn(body, NULL);
    let_others_block();
    for (int i = 1; i <= 3; i++) {
        OK(pthread_kill(one, SIGUSR1));
        OK(pthread_kill(two, SIGUSR1));
        UNTIL(handled == 2 * i);
    }
    SYS(write(ends[1], "xx", 2));
    join(one);
    join(two);
    return 0;
}
