// A program that changes its stack pointer by itself, to memory that no kernel knows as a stack, may wait, be signalled and preempted there.
// env: COOP_SLICE=1
#include "coop-test.h"

enum { SIZE = 128 << 10 };

static _Atomic int handled;

static void handler(int number)
{
    (void)number;
    handled++;
}

static void on_other_stack(void *argument)
{
    char *stack = argument, local;
    ASSERT(&local >= stack && &local < stack + SIZE);
    sleep_ms(2);
    int before = handled;
    OK(pthread_kill(pthread_self(), SIGUSR1));
    ASSERT_GE(handled, before + 1);
    // Long enough to be preempted.
    int64_t until = now_ns(CLOCK_THREAD_CPUTIME_ID) + 3 * NS_PER_MS;
    volatile double sum = 0;
    while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until) sum += 1.5;
    ASSERT(sum > 0);
}

static void call_on(char *stack, void (*function)(void *), void *argument)
{
    __asm__ volatile(
        "mov %%rsp, %%rbx\n\t"
        "mov %[top], %%rsp\n\t"
        "call *%[function]\n\t"
        "mov %%rbx, %%rsp"
        : "+D"(argument)
        : [top] "r"(stack + SIZE), [function] "r"(function)
        : "rax", "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "cc", "memory", "xmm0", "xmm1",
          "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
          "xmm13", "xmm14", "xmm15");
}

static void *body(void *unused)
{
    char *stack = aligned_alloc(16, SIZE);
    for (int i = 0; i < 3; i++) call_on(stack, on_other_stack, stack);
    free(stack);
    return unused;
}

int main(void)
{
    on_signal(SIGUSR1, handler, 0);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 3; i++) join(threads[i]);
    ASSERT_EQ(handled, 9);
    return 0;
}
