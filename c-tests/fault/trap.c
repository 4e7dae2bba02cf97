// A breakpoint instruction: SIGTRAP, with the program counter behind it, so that a handler need only return.
#include "coop-test.h"
#include <ucontext.h>

static __thread volatile int seen;

static void handler(int number, siginfo_t *info, void *context)
{
    const unsigned char *rip = (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    ASSERT_EQ(number, SIGTRAP);
    ASSERT_EQ(info->si_code, SI_KERNEL);
    ASSERT_EQ(rip[-1], 0xcc);
    seen++;
}

static void *body(void *unused)
{
    for (int i = 1; i <= 50; i++) {
        __asm__ volatile("int3");
        ASSERT_EQ(seen, i);
    }
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGTRAP, &action, NULL));
    pthread_t thread = spawn(body, NULL);
    body(NULL);
    join(thread);
    return 0;
}
