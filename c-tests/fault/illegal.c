// An invalid instruction: SIGILL with ILL_ILLOPN at its address; the handler steps over it.
#include "coop-test.h"
#include <ucontext.h>

static __thread volatile int seen;

static void handler(int number, siginfo_t *info, void *context)
{
    mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
    ASSERT_EQ(number, SIGILL);
    ASSERT_EQ(info->si_code, ILL_ILLOPN);
    ASSERT_PTR(info->si_addr, (void *)machine->gregs[REG_RIP]);
    ASSERT_MEM(info->si_addr, "\x0f\x0b", 2);
    machine->gregs[REG_RIP] += 2;
    seen++;
}

static void *body(void *unused)
{
    for (int i = 1; i <= 50; i++) {
        __asm__ volatile("ud2");
        ASSERT_EQ(seen, i);
    }
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGILL, &action, NULL));
    pthread_t thread = spawn(body, NULL);
    body(NULL);
    join(thread);
    return 0;
}
