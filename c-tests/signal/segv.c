// A SIGSEGV handler gets the address, in the faulting thread; it may jump out, or mend the page and return.
#include "coop-test.h"
#include <setjmp.h>

static __thread sigjmp_buf home;
static __thread char *page;
static __thread int mend;

static void handler(int number, siginfo_t *info, void *context)
{
    (void)context;
    ASSERT_EQ(number, SIGSEGV);
    ASSERT_PTR(info->si_addr, page + 123);
    if (!mend) siglongjmp(home, 1);
    SYS(mprotect(page, 4096, PROT_READ | PROT_WRITE));
}

static void *body(void *unused)
{
    (void)unused;
    page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT(page != MAP_FAILED);
    for (volatile int i = 0; i < 20; i++) {
        if (sigsetjmp(home, 1) == 0) {
            ((volatile char *)page)[123] = 1;
            FAIL("no fault");
        }
        sched_yield();
    }
    mend = 1;
    ((volatile char *)page)[123] = 7;
    ASSERT_EQ(page[123], 7);
    sleep_ms(1);
    return NULL;
}

int main(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO;
    SYS(sigaction(SIGSEGV, &action, NULL));
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) threads[i] = spawn(body, NULL);
    for (int i = 0; i < 5; i++) join(threads[i]);
    body(NULL);
    return 0;
}
