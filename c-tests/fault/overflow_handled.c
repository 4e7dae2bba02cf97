// A thread's stack overflow on its guard reaches a handler on its alternate stack, with the address; the thread goes on.
#include "coop-test.h"
#include <setjmp.h>

#define ALT (64 << 10)

static __thread sigjmp_buf home;
static __thread char *low, *alternate;
static volatile int always = 1;

static void handler(int number, siginfo_t *info, void *context)
{
    char here;
    (void)context;
    ASSERT_EQ(number, SIGSEGV);
    ASSERT(&here > alternate && &here < alternate + ALT);
    // Between the guard's start and the first frames.
    ASSERT((char *)info->si_addr >= low - (64 << 10) && (char *)info->si_addr < low + (64 << 10));
    siglongjmp(home, 1);
}

__attribute__((noinline)) static int recurse(int depth)
{
    volatile char frame[512];
    frame[0] = (char)depth;
    int below = always ? recurse(depth + 1) : 0;
    return below + frame[0];
}

static void *body(void *unused)
{
    pthread_attr_t attributes;
    void *base;
    size_t size;
    OK(pthread_getattr_np(pthread_self(), &attributes));
    OK(pthread_attr_getstack(&attributes, &base, &size));
    OK(pthread_attr_destroy(&attributes));
    low = base;
    alternate = malloc(ALT);
    stack_t mine = {.ss_sp = alternate, .ss_size = ALT};
    SYS(sigaltstack(&mine, NULL));
    for (volatile int i = 0; i < 3; i++)
        if (sigsetjmp(home, 1) == 0) {
            recurse(0);
            FAIL("no fault");
        }
    mine.ss_flags = SS_DISABLE;
    SYS(sigaltstack(&mine, NULL));
    free(alternate);
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    SYS(sigaction(SIGSEGV, &action, NULL));
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) threads[i] = spawn_small(body, NULL);
    for (int i = 0; i < 4; i++) join(threads[i]);
    return 0;
}
