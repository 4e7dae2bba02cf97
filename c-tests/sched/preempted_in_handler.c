// A signal's handler that computes is preempted like any code, on the alternate stack as well, and goes on where it was.
// env: COOP_SLICE=1
#include "coop-test.h"

static _Atomic int turns, done;

static void handler(int number)
{
    (void)number;
    int64_t until = now_ns(CLOCK_THREAD_CPUTIME_ID) + 4 * NS_PER_MS;
    int before = turns;
    volatile int local = 77;
    // Others run meanwhile, if this spins long enough.
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until || turns == before) {
    }
    ASSERT_EQ(local, 77);
    done++;
}

static void *signalled(void *unused)
{
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    SYS(sigaltstack(&stack, NULL));
    for (int i = 0; i < 3; i++) OK(pthread_kill(pthread_self(), SIGUSR1));
    stack.ss_flags = SS_DISABLE;
    SYS(sigaltstack(&stack, NULL));
    free(stack.ss_sp);
    return unused;
}

static void *other(void *unused)
{
    while (done < 6) {
        turns++;
        sched_yield();
    }
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    SYS(sigaction(SIGUSR1, &action, NULL));
    pthread_t third = spawn(other, NULL), one = spawn(signalled, NULL), two = spawn(signalled, NULL);
    join(one);
    join(two);
    join(third);
    ASSERT_EQ(done, 6);
    return 0;
}
