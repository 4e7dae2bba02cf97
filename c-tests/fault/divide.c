// Integer division by zero: SIGFPE with FPE_INTDIV and the instruction's address; the handler may jump out.
#include "coop-test.h"
#include <setjmp.h>
#include <ucontext.h>

static __thread sigjmp_buf home;
static volatile int zero;

static void handler(int number, siginfo_t *info, void *context)
{
    ASSERT_EQ(number, SIGFPE);
    ASSERT_EQ(info->si_code, FPE_INTDIV);
    ASSERT_PTR(info->si_addr, (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP]);
    siglongjmp(home, 1);
}

static void *body(void *unused)
{
    for (volatile int i = 0; i < 50; i++)
        if (sigsetjmp(home, 1) == 0) {
            zero = 7 / zero;
            FAIL("no fault");
        }
    sigset_t now;
    OK(pthread_sigmask(SIG_BLOCK, NULL, &now));
    ASSERT(!sigismember(&now, SIGFPE));
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    SYS(sigaction(SIGFPE, &action, NULL));
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) threads[i] = spawn(body, NULL);
    body(NULL);
    for (int i = 0; i < 3; i++) join(threads[i]);
    return 0;
}
