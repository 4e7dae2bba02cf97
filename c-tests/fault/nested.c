// SA_NODEFER: the handler may meet faults of its own; each level returns to its own place, and sees the mask it should.
#include "coop-test.h"
#include <ucontext.h>

static __thread volatile int depth, deepest;

static void handler(int number, siginfo_t *info, void *context)
{
    sigset_t mask;
    (void)info;
    OK(pthread_sigmask(SIG_BLOCK, NULL, &mask));
    ASSERT(!sigismember(&mask, number));
    ASSERT(sigismember(&mask, SIGUSR1));
    if (++depth > deepest) deepest = depth;
    if (depth < 5) __asm__ volatile(".byte 0x8a, 0x00" : : "a"(0));
    depth--;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void *body(void *unused)
{
    for (int i = 0; i < 20; i++) {
        deepest = 0;
        // movb (%rax), %al: two bytes.
        __asm__ volatile(".byte 0x8a, 0x00" : : "a"(0));
        ASSERT_EQ(depth, 0);
        ASSERT_EQ(deepest, 5);
    }
    sigset_t mask;
    OK(pthread_sigmask(SIG_BLOCK, NULL, &mask));
    ASSERT(!sigismember(&mask, SIGUSR1));
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaddset(&action.sa_mask, SIGUSR1);
    SYS(sigaction(SIGSEGV, &action, NULL));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(body, NULL);
    body(NULL);
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
